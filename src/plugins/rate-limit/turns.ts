import { GatewayError } from '../../core/error.ts'
import type { Exchange } from '../../core/exchange.ts'
import type { Cell } from '../instruments.ts'

/** Requests that wait for their turn in one place at the most: so many callers may have a queue of their own. */
const maxWaiting = 10_000

/** Holds requests until it is their turn. */
export class Turns {
  readonly #waiting: Cell

  /** @param waiting how many wait; what it is added to. */
  constructor(waiting: Cell) {
    this.#waiting = waiting
  }

  /**
   * Resolves after `ms`, or at once when the client goes away, true if that was before its turn. Throws OVERLOADED when too many of all callers
   * wait.
   */
  wait(x: Exchange, ms: number): Promise<boolean> {
    if (this.#waiting.value >= maxWaiting) {
      const message = `${maxWaiting} requests wait for their turn at a rate limit.`
      throw new GatewayError('OVERLOADED', message, { retryAfterMs: 1_000 })
    }
    this.#waiting.value++
    return new Promise((resolve) => {
      const end = (left: boolean): void => {
        if (timer === undefined) return
        clearTimeout(timer)
        timer = undefined
        this.#waiting.value--
        resolve(left)
      }
      let timer: NodeJS.Timeout | undefined = setTimeout(end, ms, false)
      x.whenGone(() => end(true))
    })
  }
}
