import { clientGone, GatewayError } from '../core/error.ts'

/** How many hashes may be computed, and wait. */
export interface HashTurnsOptions {
  /** Hashes at a time: each takes a thread of Node's four, and up to 256 MiB. */
  readonly atOnce: number
  /** How many wait at the most. */
  readonly queue: number
  /** How long one waits at the most, in milliseconds. */
  readonly queueTimeoutMs: number
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
  #entered = 0
  #running = 0

  constructor(options: HashTurnsOptions) {
    this.#options = options
  }

  /**
   * Takes a place, asks `admit`, and does `work` when it is its turn. Rejects with TOO_MANY_ATTEMPTS when there is no place for one more of this
   * address, with OVERLOADED (503) when there is none at all or the turn does not come in time, and with CLIENT_GONE when `signal` aborts before
   * it: nobody waits for the answer then.
   */
  async take<T>(
    address: string,
    signal: AbortSignal,
    { admit, work }: { readonly admit?: () => Promise<void>; readonly work: () => Promise<T> },
  ): Promise<T> {
    this.#enter(address)
    try {
      if (admit !== undefined) await admit()
      if (this.#running >= this.#options.atOnce) await this.#turn(signal)
      else this.#running++
      try {
        return await work()
      } finally {
        this.#next()
      }
    } finally {
      this.#leave(address)
    }
  }

  #enter(address: string): void {
    const { atOnce, queue, perAddress } = this.#options
    const ofAddress = this.#byAddress.get(address) ?? 0
    if (ofAddress >= perAddress)
      throw new GatewayError('TOO_MANY_ATTEMPTS', 'Too many logins at once.', { retryAfterMs: 1_000 })
    if (this.#entered >= atOnce + queue) throw overloaded()
    this.#entered++
    this.#byAddress.set(address, ofAddress + 1)
  }

  #leave(address: string): void {
    this.#entered--
    const left = (this.#byAddress.get(address) ?? 1) - 1
    if (left === 0) this.#byAddress.delete(address)
    else this.#byAddress.set(address, left)
  }

  /** Resolves when whoever was before hands its place on. */
  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const give = (up: GatewayError): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', leave)
        if (this.#waiting.delete(waiting)) reject(up)
      }
      const leave = (): void => give(clientGone())
      const timer = setTimeout(() => give(overloaded()), this.#options.queueTimeoutMs)
      const waiting: Waiting = {
        begin: () => {
          clearTimeout(timer)
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

function overloaded(): GatewayError {
  return new GatewayError('OVERLOADED', 'Too many people log in just now.', { retryAfterMs: 2_000 })
}
