import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { Database } from '../store/database.ts'
import type { NodeInfo } from './control-plane.ts'

/** How often a node says that it is there. */
const beatMs = 5_000
/** A node that was not heard of for so long is not shown, and forgotten after a day. */
const silentMs = 30_000
const forgottenMs = 86_400_000

export interface NodesOptions {
  /** How this node is with the configuration. */
  state(): Pick<NodeInfo, 'version' | 'wanted' | 'problem'>
  /** Unix time in milliseconds. */
  now(): number
}

/** The nodes that share a database, each with the version that it runs. */
export class Nodes {
  readonly #database: Database
  readonly #options: NodesOptions
  readonly #id: string = randomUUID()
  readonly #name = `${hostname()}/${process.pid}`
  readonly #startedAt: number
  #timer: NodeJS.Timeout | undefined

  constructor(database: Database, options: NodesOptions) {
    this.#database = database
    this.#options = options
    this.#startedAt = options.now()
  }

  /** From the first call on it says regularly how this node is; again each time that has changed. Never rejects. */
  async tell(): Promise<void> {
    this.#timer ??= setInterval(() => void this.tell(), beatMs).unref()
    const now = this.#options.now()
    const row = { name: this.#name, seen_at: now, ...this.#options.state() }
    const { db } = this.#database
    try {
      await db
        .insertInto('nodes')
        .values({ id: this.#id, started_at: this.#startedAt, ...row })
        .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
        .execute()
      await db
        .deleteFrom('nodes')
        .where('seen_at', '<', now - forgottenMs)
        .execute()
    } catch {
      // The database says by itself that it is gone.
    }
  }

  /** Those that are there, the oldest first. This one alone while the database is gone. */
  async list(): Promise<readonly NodeInfo[]> {
    const now = this.#options.now()
    const own = {
      id: this.#id,
      name: this.#name,
      startedAt: this.#startedAt,
      seenAt: now,
      ...this.#options.state(),
    }
    try {
      const rows = await this.#database.db
        .selectFrom('nodes')
        .selectAll()
        .where('seen_at', '>', now - silentMs)
        .orderBy('started_at')
        .execute()
      const others = rows.filter(({ id }) => id !== this.#id)
      return [
        own,
        ...others.map(({ started_at: startedAt, seen_at: seenAt, ...rest }) => ({
          ...rest,
          startedAt,
          seenAt,
        })),
      ].toSorted((a, b) => a.startedAt - b.startedAt)
    } catch {
      return [own]
    }
  }

  /** It ends. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    if (this.#timer === undefined) return
    await this.#database.db
      .deleteFrom('nodes')
      .where('id', '=', this.#id)
      .execute()
      .catch(() => undefined)
  }
}
