/** Somebody who was given keys: an application, a partner, a team. */
export interface Consumer {
  readonly id: string
  readonly name?: string | undefined
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
  readonly keys: readonly ConsumerKey[]
  /** Client certificates that are theirs, of those that the listener has verified. Default: none. */
  readonly certificates?: readonly CertificateMatch[]
}

/** By what a client certificate is known: its SHA-256, one of its names (`dns:`, `uri:`, `email:`, `ip:`), or its whole subject. */
export type CertificateMatch =
  | { readonly fingerprint: string }
  | { readonly san: string }
  | { readonly subject: string }

/** One key of a consumer; the key itself is known to its owner only. */
export interface ConsumerKey {
  /** `sha256:` and 64 lower-case hexadecimal digits, of the whole key. */
  readonly hash: string
  readonly name?: string | undefined
  /** ISO 8601 with a time zone; from then on the key is refused. Never when absent. */
  readonly expiresAt?: string | undefined
}
