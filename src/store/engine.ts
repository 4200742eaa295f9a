/** What a statement came to. */
export interface Answer {
  readonly rows: readonly unknown[]
  /** Rows that it wrote or deleted. */
  readonly changed: number
}

/** One connection to a database, for one user at a time. */
export interface Session {
  run(sql: string, parameters: readonly unknown[]): Promise<Answer>
  /** Gives it back. `broken`: something was not answered or is half done, so that nobody may use it again as it is. */
  release(broken: boolean): void
}

/** What went wrong with a statement: the database is away, it is there but takes no writes, or the statement is to blame. */
export type Fault = 'away' | 'unwritable' | 'statement'

/** A database of one kind. */
export interface Engine {
  readonly kind: 'sqlite' | 'postgres'
  /** Where it is, without secrets. */
  readonly place: string
  /** Whether others can write to it, so that it has to be looked at. */
  readonly isShared: boolean
  /** Statements that begin a transaction that may write, and one that takes turns with all migrations of this database. */
  readonly begin: string
  readonly lockMigrations: string | undefined
  /** Makes it usable, or usable again; called until it resolves, and not afterwards unless it was away. */
  open(): Promise<void>
  /** Resolves when one is free. */
  session(): Promise<Session>
  faultOf(error: unknown): Fault
  /** How a transaction tells all nodes, in `name`, that a topic changed; undefined: nobody else listens. */
  readonly notify: string | undefined
  /** Has `heard` called when some node told so. What is missed is found by looking. */
  onNotify(heard: () => void): void
  close(): Promise<void>
}
