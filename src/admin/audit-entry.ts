import type { Change } from '../control/change.ts'

/** One write that somebody made by the admin API, or tried to. */
export interface AuditEntry {
  /** Unix time in milliseconds. */
  readonly at: number
  /** The name of the token; `local` without one. */
  readonly actor: string
  /** The client's. */
  readonly address: string
  /** The operation's id in the OpenAPI document: `keys.rotate`. */
  readonly action: string
  readonly method: string
  /** Below `admin.path`, as it was asked for, without the query. */
  readonly path: string
  /** `refused`: by the gateway, with a 4xx; `failed`: it could not be done. */
  readonly outcome: 'done' | 'dryRun' | 'refused' | 'failed'
  /** Of HTTP. */
  readonly status: number
  /** The configuration's, after it; null: it did not touch it. */
  readonly version: number | null
  /** Why, in the caller's words. */
  readonly message: string | null
  /** What it changed, before and after, secrets masked. Of what was refused: the reason. */
  readonly changes: readonly Change[]
  readonly reason: string | null
  readonly requestId: string
}

/** Where writes are noted. Never throws, never waits. */
export interface AuditSink {
  note(entry: AuditEntry): void
}
