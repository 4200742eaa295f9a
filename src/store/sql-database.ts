import { type Kysely, sql } from 'kysely'
import { causeOf } from '../core/cause-of.ts'
import { GatewayError } from '../core/error.ts'
import type { Logger } from '../core/log.ts'
import { answered, NotAnswered } from './answered.ts'
import type { Database, DatabaseStatus } from './database.ts'
import { queriesOver } from './dialect.ts'
import type { Engine } from './engine.ts'
import { migrate } from './migrate.ts'
import type { Tables } from './tables.ts'
import { CountedTopics } from './topics.ts'

export interface SqlDatabaseOptions {
  readonly engine: Engine
  /** For {@link Database.searches}; absent: the same. */
  readonly searchEngine?: Engine | undefined
  /** How long a query may take, in milliseconds. */
  readonly queryMs: number
  readonly searchMs: number
  readonly log: Logger
}

/** How often the counters of the topics are looked at, and a database that is away is tried. */
const lookMs = 1_000
/** How long a start waits. */
const startMs = 5_000
/** Steps of the tables rewrite what is there, and others wait for them. */
const migrationMs = 300_000

/** A database over an engine: opened, looked at once a second, and known to be away from then on until it answers again. */
export class SqlDatabase implements Database {
  readonly db: Kysely<Tables>
  readonly searches: Kysely<Tables>
  readonly topics: CountedTopics
  readonly #options: SqlDatabaseOptions
  /** For looking, which is never refused. */
  readonly #own: Kysely<Tables>
  readonly #migrations: Kysely<Tables>
  readonly #failures = { away: 0, timeout: 0, error: 0 }
  #isOpen = false
  /** Whether it is known to be away, so that nobody needs to wait to be told. */
  #isAway = true
  #trouble: string | undefined = neverOpened
  #since = Date.now()
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  #lookAgain = false
  #closed = false

  constructor(options: SqlDatabaseOptions) {
    this.#options = options
    const { engine, searchEngine = engine, queryMs, searchMs } = options
    const failed = (error: unknown): unknown => this.#failed(error)
    const committed = (): void => {
      if (this.topics.takeBumped()) this.#lookSoon()
    }
    const watch = { admit: () => this.#admit(), failed, committed }
    const unwatched = { admit: () => {}, failed: (error: unknown) => error, committed: () => {} }
    this.topics = new CountedTopics(engine.notify, options.log)
    this.db = queriesOver(engine, { ...watch, limitMs: queryMs })
    this.searches = queriesOver(searchEngine, { ...watch, limitMs: searchMs })
    this.#own = queriesOver(engine, { ...unwatched, limitMs: queryMs })
    this.#migrations = queriesOver(engine, { ...unwatched, limitMs: migrationMs })
    engine.onNotify(() => this.#lookSoon())
  }

  get kind(): 'sqlite' | 'postgres' {
    return this.#options.engine.kind
  }

  get isKept(): boolean {
    return this.#options.engine.isShared
  }

  status(): DatabaseStatus {
    const { kind, place } = this.#options.engine
    const trouble = this.#trouble
    return { kind, place, up: trouble === undefined, trouble, since: this.#since, failures: this.#failures }
  }

  async start(): Promise<void> {
    await answered(this.#look(), startMs).catch(() => undefined)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#timer)
    const { engine, searchEngine } = this.#options
    await Promise.all([engine.close(), searchEngine?.close()])
  }

  /** One at a time; whoever asks while one is under way gets another after it. */
  #lookSoon(): void {
    if (this.#looking === undefined) void this.#look()
    else this.#lookAgain = true
  }

  #look(): Promise<void> {
    clearTimeout(this.#timer)
    this.#looking = this.#lookOnce().finally(() => {
      this.#looking = undefined
      if (this.#closed) return
      const again = this.#lookAgain
      this.#lookAgain = false
      if (again) this.#lookSoon()
      // Nobody else writes to a memory, and nothing happens to it.
      else if (this.#options.engine.isShared) this.#timer = setTimeout(() => this.#lookSoon(), lookMs).unref()
    })
    return this.#looking
  }

  async #lookOnce(): Promise<void> {
    const { engine, queryMs } = this.#options
    const wasAway = this.#isAway
    try {
      if (!this.#isOpen) {
        await answered(engine.open(), queryMs, 'the database')
        await migrate(this.#migrations, engine)
        this.#isOpen = true
      } else if (wasAway) await answered(engine.open(), queryMs, 'the database')
      if (this.#trouble !== undefined) await this.#tryToWrite()
      const changed = await this.topics.look(this.#own)
      if (this.#closed) return
      this.#turn(undefined, { isAway: false })
      this.topics.tell(wasAway ? undefined : changed)
    } catch (error) {
      if (this.#closed) return
      const isUnwritable = this.#isOpen && engine.faultOf(error) === 'unwritable'
      this.#turn(causeOf(error), { isAway: !isUnwritable })
    }
  }

  /** Reading is no proof: a disk that is full can be read. */
  async #tryToWrite(): Promise<void> {
    await sql`insert into topics (name, counter) values ('probe', 0) on conflict (name) do update set counter = 0`.execute(
      this.#own,
    )
  }

  #admit(): void {
    if (!this.#isAway) return
    this.#failures.away++
    throw unavailable(this.#trouble)
  }

  #failed(error: unknown): unknown {
    if (this.#closed) return unavailable(error)
    const isLate = error instanceof NotAnswered
    this.#failures[isLate ? 'timeout' : 'error']++
    const fault = isLate ? 'away' : this.#options.engine.faultOf(error)
    if (fault === 'statement') return error
    // Only looking tells whether it is gone or was slow once.
    if (fault === 'unwritable') this.#turn(causeOf(error), { isAway: false })
    else this.#lookSoon()
    return unavailable(error)
  }

  #turn(trouble: string | undefined, { isAway }: { readonly isAway: boolean }): void {
    const before = this.#trouble
    this.#isAway = isAway
    this.#trouble = trouble
    if ((trouble === undefined) === (before === undefined) && before !== neverOpened) return
    this.#since = Date.now()
    const { engine, log } = this.#options
    const fields = { kind: engine.kind, place: engine.place }
    if (trouble !== undefined) log.error({ ...fields, error: trouble }, 'the database is down')
    else if (before !== neverOpened) log.info(fields, 'the database is up')
  }
}

const neverOpened = 'it was not opened yet'

function unavailable(cause: unknown): GatewayError {
  const message = 'The database of the gateway does not answer; look later to see whether this was done.'
  return new GatewayError('UNAVAILABLE', message, { cause, retryAfterMs: 1_000 })
}
