import { GatewayError } from '../core/error.ts'

/** How many hashes may be computed, and wait. */
export interface HashTurnsOptions {
  /** Hashes at a time: each takes a thread of Node's four, and up to 256 MiB. */
  readonly atOnce: number
  /** How many wait at the most. */
  readonly queue: number
  /** Of one address, waiting or under way, so that one cannot take all of them. */
  readonly perAddress: number
}

interface Waiting {
  begin(): void
}

/** Lets only so many passwords be hashed at a time, because each takes much memory; the others wait, in order. */
export class HashTurns {
  readonly #options: HashTurnsOptions
  readonly #waiting = new Set<Waiting>()
  readonly #byAddress = new Map<string, number>()
  #running = 0

  constructor(options: HashTurnsOptions) {
    this.#options = options
  }

  /** Throws OVERLOADED (503) when no more can wait, TOO_MANY_ATTEMPTS when no more of this address can. */
  checkRoom(address: string): void {
    const { atOnce, queue, perAddress } = this.#options
    if ((this.#byAddress.get(address) ?? 0) >= perAddress) {
      throw new GatewayError('TOO_MANY_ATTEMPTS', 'Too many logins at once.', { retryAfterMs: 1_000 })
    }
    if (this.#running + this.#waiting.size >= atOnce + queue) {
      throw new GatewayError('OVERLOADED', 'Too many people log in just now.', { retryAfterMs: 2_000 })
    }
  }

  /**
   * Does `work` when it is its turn. Rejects where {@link checkRoom} throws, and with CLIENT_GONE when `signal` aborts before the turn: nobody
   * waits for the answer then.
   */
  async take<T>(address: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    this.checkRoom(address)
    this.#byAddress.set(address, (this.#byAddress.get(address) ?? 0) + 1)
    try {
      if (this.#running >= this.#options.atOnce) await this.#turn(signal)
      else this.#running++
      try {
        return await work()
      } finally {
        this.#next()
      }
    } finally {
      const left = (this.#byAddress.get(address) ?? 1) - 1
      if (left === 0) this.#byAddress.delete(address)
      else this.#byAddress.set(address, left)
    }
  }

  /** Resolves when whoever was before hands its place on. */
  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        if (this.#waiting.delete(waiting))
          reject(new GatewayError('CLIENT_GONE', 'The client closed the connection.'))
      }
      const waiting: Waiting = {
        begin: () => {
          signal.removeEventListener('abort', leave)
          resolve()
        },
      }
      this.#waiting.add(waiting)
      if (signal.aborted) leave()
      else signal.addEventListener('abort', leave, { once: true })
    })
  }

  #next(): void {
    for (const waiting of this.#waiting) {
      this.#waiting.delete(waiting)
      waiting.begin()
      return
    }
    this.#running--
  }
}
