import { chmodSync, closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import type { Answer } from './engine.ts'

/** How a SQLite database is opened. */
export interface SqlitePlace {
  /** Of the file, absolute; `:memory:`: a database of its own that ends with it. */
  readonly path: string
  /** Whether it is only read, beside one who writes. */
  readonly readOnly: boolean
}

/** How long it waits for another process that writes. */
const busyMs = 1_500

/** A connection to SQLite, which works in the thread that it is called in. */
export class SqliteConnection {
  readonly #place: SqlitePlace
  #db: DatabaseSync | undefined

  constructor(place: SqlitePlace) {
    this.#place = place
  }

  /** Opens it anew. Throws what SQLite or the file system say. */
  open(): void {
    this.close()
    const { path, readOnly } = this.#place
    if (path !== ':memory:' && !readOnly) makeFile(path)
    const db = new DatabaseSync(path, { readOnly, timeout: busyMs })
    try {
      // Each commit is on the disk before it is answered: there are few, and what was answered is not to be lost.
      if (path !== ':memory:' && !readOnly) db.exec('pragma journal_mode = wal; pragma synchronous = full')
      // The first page is read only now.
      db.exec('select count(*) from sqlite_schema')
    } catch (error) {
      db.close()
      throw error
    }
    this.#db = db
  }

  run(sql: string, parameters: readonly unknown[]): Answer {
    // One that writes is opened by whoever knows that no transaction was lost with the one before.
    if (this.#db === undefined && this.#place.readOnly) this.open()
    if (this.#db === undefined) throw Object.assign(new Error('the database is not open'), { code: 'CLOSED' })
    const statement = this.#db.prepare(sql)
    const values = parameters as SQLInputValue[]
    if (statement.columns().length > 0) {
      const rows = statement.all(...values)
      return { rows, changed: rows.length }
    }
    return { rows: [], changed: Number(statement.run(...values).changes) }
  }

  /** Takes back what somebody left half done. */
  reset(): void {
    if (this.#db?.isTransaction) this.#db.exec('rollback')
  }

  close(): void {
    this.#db?.close()
    this.#db = undefined
  }
}

/** For nobody else to read: it has digests of keys, and what was asked. SQLite gives the files beside it the same mode. */
function makeFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  if (existsSync(path)) return
  closeSync(openSync(path, 'a', 0o600))
  chmodSync(path, 0o600)
}
