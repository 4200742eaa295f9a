import type { Kysely } from 'kysely'

/**
 * One step of the tables, for both kinds of database. Steps only add (tables, columns with defaults, indexes): while nodes are updated one after the
 * other, the older ones work on the same tables, also when the update is taken back.
 */
export interface Migration {
  /** `001-topics`; never changed once it was released. */
  readonly name: string
  up(db: Kysely<never>, kind: 'sqlite' | 'postgres'): Promise<void>
}
