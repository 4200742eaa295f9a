import type { Logger } from '../core/log.ts'
import { messageOf } from '../core/message-of.ts'
import type { LogTable } from './log-table.ts'

export interface RetentionOptions {
  /** Milliseconds. */
  readonly maxAge: number
  readonly maxRows: number
  readonly log: Logger
  now(): number
}

/** Deletes entries that are too old or too many, once a minute. Gateways that share a database do so beside each other, which does no harm. */
export class LogRetention {
  readonly #table: LogTable
  readonly #options: RetentionOptions
  readonly #timer: NodeJS.Timeout
  #running: Promise<void> | undefined
  #closed = false

  constructor(table: LogTable, options: RetentionOptions) {
    this.#table = table
    this.#options = options
    this.#timer = setInterval(() => void this.apply(), intervalMs).unref()
  }

  /** Resolves when there is nothing left to delete, or nothing can be deleted now. */
  apply(): Promise<void> {
    this.#running ??= this.#apply().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#timer)
    await this.#running
  }

  async #apply(): Promise<void> {
    const { maxAge, maxRows, log, now } = this.#options
    if (!this.#table.isUp) return
    try {
      const excess = await this.#table.excess(maxRows)
      const before = Math.max(now() - maxAge, excess === undefined ? 0 : excess + 1)
      while (!this.#closed && (await this.#table.deleteSome(before)) > 0);
    } catch (error) {
      // It is tried again in a minute; that the database is away is told elsewhere.
      if (this.#table.isUp)
        log.warn({ error: messageOf(error) }, 'old entries of the request log could not be deleted')
    }
  }
}

const intervalMs = 60_000
