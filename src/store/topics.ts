import { type Kysely, sql, type Transaction } from 'kysely'
import type { Logger } from '../core/log.ts'
import { messageOf } from '../core/message-of.ts'
import type { Tables } from './tables.ts'

/** A part of what is kept that nodes tell each other changes of. */
export type TopicName = 'config' | 'keys' | 'revocations' | 'instances' | 'canaries'

/** Tells all nodes, this one included, that something was changed: within a second at the latest. */
export interface Topics {
  /**
   * In the transaction that changes something: counts the topic up, and resolves with the new count. Whoever changes the same topic waits for the end
   * of the transaction, so that rows marked with their count become visible in its order.
   */
  bump(trx: Transaction<Tables>, name: TopicName): Promise<number>
  /**
   * Has `handler` called soon after each change, whoever made it, and when the database has come up (again), since something may have been missed. It
   * is told only that: it reads by itself. Several changes may be one call. Returns what ends it.
   */
  on(name: TopicName, handler: () => void): () => void
}

/** Topics by counters in a table. */
export class CountedTopics implements Topics {
  readonly #notify: string | undefined
  readonly #log: Logger
  readonly #handlers = new Map<TopicName, Set<() => void>>()
  readonly #counters = new Map<string, number>()
  #bumped = false

  /** @param notify the channel of PostgreSQL on which the others are told. */
  constructor(notify: string | undefined, log: Logger) {
    this.#notify = notify
    this.#log = log
  }

  async bump(trx: Transaction<Tables>, name: TopicName): Promise<number> {
    const { counter } = await trx
      .insertInto('topics')
      .values({ name, counter: 1 })
      .onConflict((conflict) =>
        conflict.column('name').doUpdateSet((row) => ({ counter: row('topics.counter', '+', 1) })),
      )
      .returning('counter')
      .executeTakeFirstOrThrow()
    if (this.#notify !== undefined) await sql`select pg_notify(${this.#notify}, ${name})`.execute(trx)
    this.#bumped = true
    return counter
  }

  on(name: TopicName, handler: () => void): () => void {
    const handlers = this.#handlers.get(name) ?? new Set()
    this.#handlers.set(name, handlers.add(handler))
    return () => void handlers.delete(handler)
  }

  /** Whether something was bumped here since this was asked last. */
  takeBumped(): boolean {
    const bumped = this.#bumped
    this.#bumped = false
    return bumped
  }

  /** Looks at all counters. Resolves with the names of those that are others now. */
  async look(db: Kysely<Tables>): Promise<readonly string[]> {
    const found = await db.selectFrom('topics').selectAll().execute()
    const changed = found.filter(({ name, counter }) => this.#counters.get(name) !== counter)
    for (const { name, counter } of found) this.#counters.set(name, counter)
    return changed.map(({ name }) => name)
  }

  /** Calls the handlers of topics; absent: of all. */
  tell(names: Iterable<string> = this.#handlers.keys()): void {
    for (const name of names) {
      for (const handler of this.#handlers.get(name as TopicName) ?? []) {
        try {
          handler()
        } catch (error) {
          this.#log.error({ topic: name, error: messageOf(error) }, 'a change could not be followed')
        }
      }
    }
  }
}
