import type { Rotation, Session, Sessions } from './session.ts'

interface Live {
  readonly session: Session
  digest: string
}

/** Sessions of one gateway, which end with its process. As many as there are users times those that one may have. */
export class MemorySessions implements Sessions {
  readonly #sessions = new Map<string, Live>()
  /** Ids of sessions by that of the user, oldest first. */
  readonly #byUser = new Map<string, Set<string>>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  get size(): number {
    return this.#sessions.size
  }

  async open(session: Session, digest: string, most: number): Promise<readonly string[]> {
    const ids = this.#byUser.get(session.userId) ?? new Set()
    this.#byUser.set(session.userId, ids)
    const ended: string[] = []
    for (const id of ids) {
      const isOver = (this.#sessions.get(id)?.session.expiresAt ?? 0) <= this.#now()
      if (!isOver && ids.size < most) break
      if (!isOver) ended.push(id)
      ids.delete(id)
      this.#sessions.delete(id)
    }
    ids.add(session.id)
    this.#sessions.set(session.id, { session, digest })
    return ended
  }

  async rotate(id: string, presented: string, next: string): Promise<Rotation> {
    const live = this.#sessions.get(id)
    if (live === undefined) return { outcome: 'unknown' }
    const { session } = live
    if (session.expiresAt <= this.#now()) {
      this.#drop(session)
      return { outcome: 'unknown' }
    }
    // Of two hashes of random texts a comparison tells nothing that helps to find a third.
    if (live.digest !== presented) {
      this.#drop(session)
      return { outcome: 'reused', session }
    }
    live.digest = next
    return { outcome: 'rotated', session }
  }

  async end(id: string): Promise<boolean> {
    const live = this.#sessions.get(id)
    if (live === undefined) return false
    this.#drop(live.session)
    return true
  }

  #drop({ id, userId }: Session): void {
    this.#sessions.delete(id)
    const ids = this.#byUser.get(userId)
    ids?.delete(id)
    if (ids?.size === 0) this.#byUser.delete(userId)
  }
}
