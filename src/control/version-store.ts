import type { Database } from '../store/database.ts'
import type { Change } from './change.ts'
import type { VersionInfo } from './control-plane.ts'
import { summaryOf } from './diff-config.ts'

/** A version as it is kept. */
export interface StoredVersion extends VersionInfo {
  /** YAML as it was written. */
  readonly text: string
  /** SHA-256 of the file that was applied last, in this version or before; null: none was. */
  readonly fileHash: string | null
  readonly changes: readonly Change[]
}

/** Versions are kept up to this many; the oldest go. */
const maxVersions = 1_000

/** The versions of the configuration in the database. All reject while it is gone. */
export class VersionStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Has `heard` called when there may be another version. */
  onNews(heard: () => void): void {
    this.#database.topics.on('config', heard)
  }

  /** Undefined: there is none. */
  async newest(): Promise<StoredVersion | undefined> {
    const row = await this.#database.db
      .selectFrom('config_versions')
      .selectAll()
      .orderBy('version', 'desc')
      .limit(1)
      .executeTakeFirst()
    return row && stored(row)
  }

  /** Undefined: there is none. */
  async get(version: number): Promise<StoredVersion | undefined> {
    const row = await this.#database.db
      .selectFrom('config_versions')
      .selectAll()
      .where('version', '=', version)
      .executeTakeFirst()
    return row && stored(row)
  }

  /** The newest that came from a file. */
  async newestOfFile(): Promise<StoredVersion | undefined> {
    const row = await this.#database.db
      .selectFrom('config_versions')
      .selectAll()
      .where('origin', '=', 'file')
      .orderBy('version', 'desc')
      .limit(1)
      .executeTakeFirst()
    return row && stored(row)
  }

  /** Newest first, those below `before`. */
  async list(page: {
    readonly limit: number
    readonly before?: number | undefined
  }): Promise<{ readonly items: readonly VersionInfo[]; readonly total: number }> {
    const { db } = this.#database
    const rows = await db
      .selectFrom('config_versions')
      .select(['version', 'author', 'created_at', 'message', 'origin', 'changes'])
      .where('version', '<', page.before ?? Number.MAX_SAFE_INTEGER)
      .orderBy('version', 'desc')
      .limit(page.limit)
      .execute()
    const { total } = await db
      .selectFrom('config_versions')
      .select(({ fn }) => fn.countAll().as('total'))
      .executeTakeFirstOrThrow()
    return { items: rows.map((row) => infoOf(row, JSON.parse(row.changes))), total: Number(total) }
  }

  /** False: another node was first with this version. */
  async add(version: Omit<StoredVersion, 'summary'>): Promise<boolean> {
    const { db, topics } = this.#database
    return await db.transaction().execute(async (trx) => {
      const { numInsertedOrUpdatedRows } = await trx
        .insertInto('config_versions')
        .values({
          version: version.version,
          author: version.author,
          created_at: version.createdAt,
          message: version.message,
          origin: version.origin,
          file_hash: version.fileHash,
          document: version.text,
          changes: JSON.stringify(version.changes),
        })
        .onConflict((conflict) => conflict.column('version').doNothing())
        .executeTakeFirstOrThrow()
      if (Number(numInsertedOrUpdatedRows ?? 0) === 0) return false
      await trx
        .deleteFrom('config_versions')
        .where('version', '<=', version.version - maxVersions)
        .execute()
      await topics.bump(trx, 'config')
      return true
    })
  }
}

interface Row {
  readonly version: number
  readonly author: string
  readonly created_at: number
  readonly message: string
  readonly origin: VersionInfo['origin']
}

function infoOf(
  { created_at: createdAt, version, author, message, origin }: Row,
  changes: readonly Change[],
): VersionInfo {
  return { version, author, createdAt, message, origin, summary: summaryOf(changes) }
}

function stored(
  row: Row & { readonly file_hash: string | null; readonly document: string; readonly changes: string },
): StoredVersion {
  const changes = JSON.parse(row.changes) as readonly Change[]
  return { ...infoOf(row, changes), changes, text: row.document, fileHash: row.file_hash }
}
