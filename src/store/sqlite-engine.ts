import type { Answer, Engine, Fault, Session } from './engine.ts'
import { SqliteConnection } from './sqlite-connection.ts'
import { type SqliteFault, SqliteThread } from './sqlite-thread.ts'
import { Turns } from './turns.ts'

/** A connection in this thread or in another. */
interface Connection {
  open(): void | Promise<void>
  run(sql: string, parameters: readonly unknown[]): Answer | Promise<Answer>
  reset(): void | Promise<void>
  close(): void | Promise<void>
}

/** SQLite: a file, in a thread of its own, or memory, in this one. It has one connection, which its users have in turns. */
export class SqliteEngine implements Engine {
  readonly kind = 'sqlite'
  readonly place: string
  readonly isShared: boolean
  // At once, and not at the first write: then it may be too late to wait for another process.
  readonly begin = 'begin immediate'
  readonly lockMigrations = undefined
  readonly notify = undefined
  readonly #connection: Connection
  readonly #turns = new Turns()

  /** @param path absolute, or `:memory:`. */
  constructor(path: string, { readOnly = false }: { readonly readOnly?: boolean } = {}) {
    this.place = path
    this.isShared = path !== ':memory:'
    this.#connection = this.isShared
      ? new SqliteThread({ path, readOnly })
      : new SqliteConnection({ path, readOnly })
  }

  /** In turn: a transaction that is under way must not end up on a new connection. */
  async open(): Promise<void> {
    const done = await this.#turns.take()
    try {
      await this.#connection.open()
    } finally {
      done()
    }
  }

  async session(): Promise<Session> {
    const done = await this.#turns.take()
    const connection = this.#connection
    return {
      run: async (sql, parameters) => await connection.run(sql, parameters),
      release: (broken) => {
        if (!broken) return done()
        // What is still under way comes first: the thread does one after the other.
        void Promise.try(() => connection.reset()).then(done, done)
      },
    }
  }

  faultOf(error: unknown): Fault {
    const { errcode, code } = error as Partial<SqliteFault>
    // Extended codes have the primary one in their low byte (sqlite.org/rescode.html).
    const primary = errcode === undefined ? undefined : errcode & 0xff
    if (primary !== undefined && unwritable.has(primary)) return 'unwritable'
    if (primary !== undefined) return away.has(primary) ? 'away' : 'statement'
    return code === undefined ? 'statement' : 'away'
  }

  onNotify(): void {}

  async close(): Promise<void> {
    await this.#connection.close()
  }
}

/** SQLITE_READONLY, SQLITE_IOERR, SQLITE_FULL. */
const unwritable = new Set([8, 10, 13])
/** SQLITE_PERM, SQLITE_BUSY, SQLITE_LOCKED, SQLITE_CORRUPT, SQLITE_CANTOPEN, SQLITE_NOTADB. */
const away = new Set([3, 5, 6, 11, 14, 26])
