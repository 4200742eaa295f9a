import type { KeyRecord } from './key-record.ts'

/** One key before and after; undefined: it is not there. */
export interface KeyChange {
  readonly before: KeyRecord | undefined
  readonly after: KeyRecord | undefined
}

/** Where managed keys are kept beside the memory of this process, for all gateways that share it. */
export interface KeyStore {
  /** Begins to tell what there is, and what changes. Resolves when `news.all` was told, or it could not be for now. */
  start(news: KeyNews): Promise<void>
  /**
   * Makes all of the changes, or none when a key is not as `before` says (`stale`) or there would be more than `max` (`full`). What
   * was done was told as news. Rejects when the store cannot be asked; whether the changes were made is not known then.
   */
  change(changes: readonly KeyChange[], max: number): Promise<'done' | 'stale' | 'full'>
  /** Notes when keys were used last, by id. */
  noteUses(uses: ReadonlyMap<string, number>): Promise<void>
  /** When they were, by all gateways; 0: not known. */
  lastUses(ids: readonly string[]): Promise<readonly number[]>
  close(): void
}

/** Who wants to know of keys. */
export interface KeyNews {
  /** All there are: at the beginning, and whenever something may have been missed. */
  all(records: readonly KeyRecord[]): void
  /** Single ones by id; undefined: gone. */
  some(changed: ReadonlyMap<string, KeyRecord | undefined>): void
  /** All that were told, for a store that has lost them. */
  known(): Iterable<KeyRecord>
  /** Why nothing new is heard; undefined: all is well. */
  trouble(what: string | undefined): void
}
