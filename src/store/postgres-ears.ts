import type { Client } from 'pg'

const retryMs = 1_000

/** A connection to PostgreSQL that listens to one channel, and is made again for as long as it is wanted. */
export class PostgresEars {
  readonly #makeClient: () => Client
  readonly #channel: string
  readonly #heard: () => void
  #client: Client | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(
    makeClient: () => Client,
    { channel, heard }: { readonly channel: string; readonly heard: () => void },
  ) {
    this.#makeClient = makeClient
    this.#channel = channel
    this.#heard = heard
  }

  /** Begins to listen, and goes on to until it is closed. Nobody waits for it: who looks finds all the same. */
  listen(): void {
    if (this.#client !== undefined || this.#closed) return
    const client = this.#makeClient()
    this.#client = client
    const lost = (): void => {
      if (this.#client !== client) return
      this.#client = undefined
      this.#timer = setTimeout(() => this.listen(), retryMs).unref()
    }
    client.on('error', lost)
    client.on('end', lost)
    client.on('notification', () => this.#heard())
    client
      .connect()
      .then(() => client.query(`listen ${this.#channel}`))
      // Something may have been said in between.
      .then(() => this.#heard())
      .catch(() => {
        lost()
        void client.end().catch(() => undefined)
      })
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    void this.#client?.end().catch(() => undefined)
    this.#client = undefined
  }
}
