import type { ReadinessCheck } from './health.ts'

/** How it is with the database. */
export interface DatabaseState {
  readonly kind: 'sqlite' | 'postgres'
  /** Where it is, without secrets. */
  readonly place: string
  /** Why it cannot be used; undefined: it can. */
  readonly trouble: string | undefined
  /** Queries that came to nothing since the start, by why. */
  readonly failures: Readonly<Record<string, number>>
}

/** Not required: what the gateway serves is in its memory. */
export function databaseChecks(database: DatabaseState | undefined): ReadinessCheck[] {
  if (database === undefined) return []
  const { kind, trouble } = database
  return [
    { name: 'database', ok: trouble === undefined, required: false, detail: trouble ?? `${kind} is up` },
  ]
}
