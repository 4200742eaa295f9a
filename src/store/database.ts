import type { Kysely } from 'kysely'
import type { Tables } from './tables.ts'
import type { Topics } from './topics.ts'

/** What outlives the process, and what several nodes share: one schema in SQLite or PostgreSQL. */
export interface Database {
  readonly kind: 'sqlite' | 'postgres'
  /** Whether what it holds outlives the process. */
  readonly isKept: boolean
  /**
   * For queries that are short. Whatever it is asked rejects with a GatewayError UNAVAILABLE, at once while the database is known to be away
   * and after `stores.database.queryTimeout` at the latest; mistakes in a query, and what {@link isTaken} knows, reject as the driver has them.
   */
  readonly db: Kysely<Tables>
  /** For reading only, where it may take long: its queries hold up no others, and get `stores.database.searchTimeout`. */
  readonly searches: Kysely<Tables>
  readonly topics: Topics
  status(): DatabaseStatus
  /** Opens it and brings its tables up to date. Resolves in any case, after some seconds at the latest: trouble is in `status()`, and it keeps trying. */
  start(): Promise<void>
  close(): Promise<void>
}

/** How it is with the database, for people. */
export interface DatabaseStatus {
  readonly kind: 'sqlite' | 'postgres'
  /** Where it is, without secrets. */
  readonly place: string
  readonly up: boolean
  /** Why it is not up; undefined: it is. */
  readonly trouble: string | undefined
  /** When it went up or down last, Unix time in milliseconds. */
  readonly since: number
  /** Queries that came to nothing since the start, by why: refused while it was away, not answered in time, failed. */
  readonly failures: Readonly<Record<'away' | 'timeout' | 'error', number>>
}
