import type { AuditEntry, AuditSink } from './audit-entry.ts'

/** Entries that are kept in memory at the most. */
const maxEntries = 1_000

/** The latest writes by the admin API. */
export class AuditLog implements AuditSink {
  /** The oldest first. */
  readonly #entries: AuditEntry[] = []

  note(entry: AuditEntry): void {
    this.#entries.push(entry)
    if (this.#entries.length > maxEntries) this.#entries.shift()
  }
}
