import type { KeyRateLimit } from './key-record.ts'

/** Somebody who was given keys: an application, a partner, a team. */
export interface Consumer {
  readonly id: string
  readonly name?: string | undefined
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
  /** For all requests of the consumer together, with whatever credentials. */
  readonly rateLimit?: KeyRateLimit | undefined
  readonly keys: readonly ConsumerKey[]
  /** Client certificates that are theirs, of those that the listener has verified. Default: none. */
  readonly certificates?: readonly CertificateMatch[]
}

/** By what a client certificate is known: its SHA-256, one of its names (`dns:`, `uri:`, `email:`, `ip:`), or its whole subject. */
export type CertificateMatch =
  | { readonly fingerprint: string }
  | { readonly san: string }
  | { readonly subject: string }

/** One key of a consumer in the configuration; the key itself is known to its owner only. */
export interface ConsumerKey {
  /** Default: made of the hash. */
  readonly id?: string | undefined
  /** `sha256:` and 64 lower-case hexadecimal digits, of the whole key. */
  readonly hash: string
  readonly name?: string | undefined
  /** How the key begins. */
  readonly prefix?: string | undefined
  /** ISO 8601 with a time zone; from then on the key is refused. Never when absent. */
  readonly expiresAt?: string | undefined
  /** Those of the consumer that the key has; absent: all. */
  readonly roles?: readonly string[] | undefined
  readonly scopes?: readonly string[] | undefined
  readonly rateLimit?: KeyRateLimit | undefined
}
