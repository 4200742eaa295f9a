import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type DialectAdapter,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type TransactionSettings,
} from 'kysely'
import { answered } from './answered.ts'
import type { Engine, Session } from './engine.ts'
import type { Tables } from './tables.ts'

/** Who is asked before, and told after, what is done with an engine. */
export interface Watch {
  /** How long one statement may take, in milliseconds. */
  readonly limitMs: number
  /** Throws while nothing shall be asked. */
  admit(): void
  /** The error in its place. */
  failed(error: unknown): unknown
  committed(): void
}

/** Queries over an engine of either kind. */
export function queriesOver(engine: Engine, watch: Watch): Kysely<Tables> {
  const isSqlite = engine.kind === 'sqlite'
  const dialect: Dialect = {
    createAdapter: () => (isSqlite ? new SharedSqliteAdapter() : new PostgresAdapter()),
    createDriver: () => new EngineDriver(engine, watch),
    createIntrospector: (db) => (isSqlite ? new SqliteIntrospector(db) : new PostgresIntrospector(db)),
    createQueryCompiler: () => (isSqlite ? new SqliteQueryCompiler() : new PostgresQueryCompiler()),
  }
  return new Kysely<Tables>({ dialect })
}

/** The engine itself has its users take turns: there are several of these over it. */
class SharedSqliteAdapter extends SqliteAdapter implements DialectAdapter {
  override get supportsMultipleConnections(): boolean {
    return true
  }
}

class EngineDriver implements Driver {
  readonly #engine: Engine
  readonly #watch: Watch

  constructor(engine: Engine, watch: Watch) {
    this.#engine = engine
    this.#watch = watch
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    const { limitMs } = this.#watch
    this.#watch.admit()
    const session = this.#engine.session()
    try {
      return new EngineConnection(await answered(session, limitMs, 'the database'), this.#watch)
    } catch (error) {
      session.then(
        (late) => late.release(false),
        () => undefined,
      )
      throw this.#watch.failed(error)
    }
  }

  async beginTransaction(connection: DatabaseConnection, { accessMode }: TransactionSettings): Promise<void> {
    await (connection as EngineConnection).run(accessMode === 'read only' ? 'begin' : this.#engine.begin)
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await (connection as EngineConnection).run('commit')
    this.#watch.committed()
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await (connection as EngineConnection).rollback()
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    ;(connection as EngineConnection).release()
  }

  /** The engine is closed by whoever made it. */
  async destroy(): Promise<void> {}
}

class EngineConnection implements DatabaseConnection {
  readonly #session: Session
  readonly #watch: Watch
  #isBroken = false

  constructor(session: Session, watch: Watch) {
    this.#session = session
    this.#watch = watch
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    return await this.run(sql, parameters)
  }

  /** Whole answers only: what is long is asked for in pages. */
  // biome-ignore lint/correctness/useYield: there is none
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('answers are not streamed')
  }

  async run<R>(sql: string, parameters: readonly unknown[] = []): Promise<QueryResult<R>> {
    try {
      if (this.#isBroken) throw new Error('an earlier statement of this connection was not answered')
      const answer = this.#session.run(sql, parameters.map(storable))
      const { rows, changed } = await answered(answer, this.#watch.limitMs, 'the database')
      return { rows: rows as R[], numAffectedRows: BigInt(changed) }
    } catch (error) {
      const shown = this.#watch.failed(error)
      if (shown !== error) this.#isBroken = true
      throw shown
    }
  }

  async rollback(): Promise<void> {
    // A broken one is taken back by the engine; nothing that it says is of use.
    if (this.#isBroken) return
    try {
      await this.run('rollback')
    } catch {
      this.#isBroken = true
    }
  }

  release(): void {
    this.#session.release(this.#isBroken)
  }
}

/** PostgreSQL has no text with a NUL in it, SQLite no booleans. */
function storable(value: unknown): unknown {
  if (typeof value === 'string' && value.includes('\0')) return value.replaceAll('\0', '\u{fffd}')
  return typeof value === 'boolean' ? Number(value) : value
}
