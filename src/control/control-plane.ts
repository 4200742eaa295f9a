import type { Problem } from '../config/problem.ts'
import type { Change, ConfigEdit, ItemKind } from './change.ts'

/** A version of the configuration, without its text. */
export interface VersionInfo {
  /** Counted from 1, over all nodes. */
  readonly version: number
  /** The name of an admin token, `local`, or `file`. */
  readonly author: string
  /** Unix time in milliseconds. */
  readonly createdAt: number
  readonly message: string
  readonly origin: 'file' | 'api' | 'rollback'
  /** What it changed of the version before: `routes/users updated`. */
  readonly summary: readonly string[]
}

/** A version, with what it changed and its text. */
export interface Version extends VersionInfo {
  readonly changes: readonly Change[]
  /** YAML, secrets masked. */
  readonly text: string
}

/** One named part of the running configuration, as it was written, secrets masked. */
export interface Item {
  readonly id: string
  readonly value: unknown
  /** Strong, with its quotes: changes with the value. */
  readonly etag: string
}

/** How a node of the gateway is with the configuration. */
export interface NodeInfo {
  readonly id: string
  readonly name: string
  readonly startedAt: number
  readonly seenAt: number
  /** What it runs. */
  readonly version: number
  /** The newest that it knows of. */
  readonly wanted: number
  /** Why it does not run the newest; null: it does. */
  readonly problem: string | null
}

export interface WriteOptions {
  /** Who. */
  readonly by: string
  /** Why. Default: the summary. */
  readonly message?: string | undefined
  /** The value of `If-Match`: an item's tag when there is one edit of an item, else that of the whole. Stale: PRECONDITION_FAILED (412) with the current one. */
  readonly ifMatch?: string | undefined
  /** Checks and builds it, and stores nothing. */
  readonly dryRun?: boolean | undefined
}

/** What came of a write. */
export interface Written {
  /** The version that runs now; of a dry run, the one that would. Nothing changed: the version that runs. */
  readonly version: number
  /** Of the whole configuration. */
  readonly etag: string
  readonly changes: readonly Change[]
  /** What does not stop it and should be known: keys that take effect at the next start, routes that are open. */
  readonly warnings: readonly string[]
}

/** The configuration as people change it while the gateway runs. */
export interface ControlPlane {
  /** Of the running configuration; 0: it could not be stored yet. */
  readonly version: number
  /** Strong, with its quotes. */
  readonly etag: string
  /** The running document, YAML, secrets masked. */
  readonly text: string
  items(kind: ItemKind): readonly Item[]
  /**
   * Edits the document in this order, checks and builds the outcome, stores it as a new version and lets it take over; all or nothing. Throws GatewayErrors:
   * INVALID_ARGUMENT with the places that are wrong, NOT_FOUND, ALREADY_EXISTS and REFERENCED (409), PRECONDITION_FAILED (412), UNAVAILABLE without the database.
   */
  write(edits: readonly ConfigEdit[], options: WriteOptions): Promise<Written>
  /** Runs the text of an old version again, as a new one. */
  rollback(version: number, options: WriteOptions): Promise<Written>
  /** What is wrong with a document, built and all; empty: nothing. */
  validate(text: string): Promise<readonly Problem[]>
  /** From the running configuration, or from the version `from`, to a document, or to the version `to`. */
  diff(
    to: { readonly text: string } | { readonly version: number },
    from?: number,
  ): Promise<readonly Change[]>
  /** Newest first, those below `before`. */
  versions(page: {
    readonly limit: number
    readonly before?: number | undefined
  }): Promise<{ readonly items: readonly VersionInfo[]; readonly total: number }>
  /** Throws NOT_FOUND. */
  get(version: number): Promise<Version>
  nodes(): Promise<readonly NodeInfo[]>
}
