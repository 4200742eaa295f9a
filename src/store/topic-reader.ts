import { causeOf } from '../core/cause-of.ts'
import type { Database } from './database.ts'
import type { TopicName } from './topics.ts'

export interface TopicReaderOptions {
  readonly topic: TopicName
  /** Reads what has changed; it may be called although nothing has. */
  read(): Promise<void>
  /** Told after each reading: why it failed, or undefined. */
  trouble(what: string | undefined): void
}

/** Has a part of the database read when it changes: one reading at a time, and again a second after one that failed. */
export class TopicReader {
  readonly #database: Database
  readonly #options: TopicReaderOptions
  #reading: Promise<void> = Promise.resolve()
  #waiting: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #end = (): void => {}
  #closed = false

  constructor(database: Database, options: TopicReaderOptions) {
    this.#database = database
    this.#options = options
  }

  /** Resolves after the first reading, whatever came of it. Called once. */
  start(): Promise<void> {
    this.#end = this.#database.topics.on(this.#options.topic, () => void this.read())
    return this.read()
  }

  /** Resolves after a reading that began after this was called. Never rejects. */
  read(): Promise<void> {
    // Whoever comes while one waits for its turn has that one.
    this.#waiting ??= this.#reading.then(() => {
      this.#waiting = undefined
      this.#reading = this.#readOnce()
      return this.#reading
    })
    return this.#waiting
  }

  close(): void {
    this.#closed = true
    this.#end()
    clearTimeout(this.#timer)
  }

  async #readOnce(): Promise<void> {
    const { read, trouble } = this.#options
    clearTimeout(this.#timer)
    if (this.#closed) return
    try {
      await read()
      trouble(undefined)
    } catch (error) {
      if (this.#closed) return
      trouble(this.#database.status().trouble ?? causeOf(error))
      this.#timer = setTimeout(() => void this.read(), retryMs).unref()
    }
  }
}

const retryMs = 1_000
