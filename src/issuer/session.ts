/** What a login began: its access tokens carry the id (`sid`), its refresh tokens follow one another. */
export interface Session {
  readonly id: string
  readonly userId: string
  /** {@link User.mark} at the login. */
  readonly mark: string
  /** Unix time in milliseconds, both. */
  readonly createdAt: number
  readonly expiresAt: number
}

/** What became of an attempt to exchange a refresh token. `reused`: it is not the last one of its session, which has ended by that. */
export type Rotation =
  | { readonly outcome: 'rotated' | 'reused'; readonly session: Session }
  | { readonly outcome: 'unknown' }

/** The sessions that live, each with the digest of its one good refresh token. Rejects with UNAVAILABLE where a store does not answer. */
export interface Sessions {
  /** Adds a session. `most` of one user live at a time: resolves with the ids of the oldest, which had to end for it. */
  open(session: Session, digest: string, most: number): Promise<readonly string[]>
  /** Replaces the digest of a session's token by the next one's if it is `presented`, else ends the session; in one step. */
  rotate(id: string, presented: string, next: string): Promise<Rotation>
  /** Resolves with whether it was there. */
  end(id: string): Promise<boolean>
}
