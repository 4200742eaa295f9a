import { Worker } from 'node:worker_threads'
import type { Answer } from './engine.ts'
import type { SqlitePlace } from './sqlite-connection.ts'

/** What the thread is asked. */
export interface SqliteRequest {
  readonly id: number
  readonly what: 'open' | 'run' | 'reset' | 'close'
  readonly sql?: string
  readonly parameters?: readonly unknown[]
}

/** What it says to that. */
export interface SqliteReply {
  readonly id: number
  readonly answer?: Answer
  readonly error?: SqliteFault
}

/** What is known of an error of SQLite (`errcode`) or of the file system (`code`). */
export interface SqliteFault {
  readonly message: string
  readonly errcode?: number | undefined
  readonly code?: string | undefined
}

/** A connection to a SQLite file in a thread of its own: SQLite holds up the thread that it works in, and disks are slow. */
export class SqliteThread {
  readonly #place: SqlitePlace
  readonly #waiting = new Map<number, PromiseWithResolvers<SqliteReply>>()
  #worker: Worker | undefined
  #lastId = 0

  constructor(place: SqlitePlace) {
    this.#place = place
  }

  async open(): Promise<void> {
    await this.#ask('open')
  }

  async run(sql: string, parameters: readonly unknown[]): Promise<Answer> {
    const { answer = { rows: [], changed: 0 } } = await this.#ask('run', sql, parameters)
    return answer
  }

  async reset(): Promise<void> {
    await this.#ask('reset')
  }

  async close(): Promise<void> {
    const worker = this.#worker
    if (worker === undefined) return
    await this.#ask('close').catch(() => undefined)
    await worker.terminate()
  }

  async #ask(
    what: SqliteRequest['what'],
    sql?: string,
    parameters?: readonly unknown[],
  ): Promise<SqliteReply> {
    this.#worker ??= this.#start()
    const id = ++this.#lastId
    const reply = Promise.withResolvers<SqliteReply>()
    this.#waiting.set(id, reply)
    const request = { id, what, ...(sql !== undefined && { sql, parameters }) }
    this.#worker.ref()
    this.#worker.postMessage(request)
    const { error, ...rest } = await reply.promise
    if (error !== undefined) throw Object.assign(new Error(error.message), error)
    return rest
  }

  #start(): Worker {
    const worker = new Worker(new URL('./sqlite-worker.ts', import.meta.url), { workerData: this.#place })
    worker.on('message', (reply: SqliteReply) => {
      this.#waiting.get(reply.id)?.resolve(reply)
      this.#waiting.delete(reply.id)
      // It keeps the process only for as long as somebody waits for it.
      if (this.#waiting.size === 0) worker.unref()
    })
    const ended = (message: string): void => {
      if (this.#worker !== worker) return
      this.#worker = undefined
      for (const [id, { resolve }] of this.#waiting) resolve({ id, error: { message, code: 'ENDED' } })
      this.#waiting.clear()
    }
    worker.on('error', ({ message }: Error) => ended(message))
    worker.on('exit', () => ended('the thread of the database has ended'))
    return worker
  }
}
