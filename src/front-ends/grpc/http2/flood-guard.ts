import { ConnectionError, errorCodes } from './protocol.ts'

/** What a frame that brings nothing weighs. */
export const frameWeights = {
  /** One that has to be answered: PING, SETTINGS. */
  answered: 10,
  /** One that is passed over: PRIORITY, unknown types, frames of closed streams, empty DATA, interim answers. */
  idle: 1,
} as const

/** Ends a connection whose peer sends more frames without content than any honest one would. */
export class FloodGuard {
  #spent = 0
  #since: number

  constructor(now: number) {
    this.#since = now
  }

  /** Throws ENHANCE_YOUR_CALM above 1,000 PING or SETTINGS, or 10,000 others, within a second. */
  spend(weight: number): void {
    this.#spent += weight
    if (this.#spent <= budget) return
    const now = performance.now()
    if (now - this.#since < perMs) {
      throw new ConnectionError(
        errorCodes.enhanceYourCalm,
        'The peer floods the connection with empty frames.',
      )
    }
    this.#since = now
    this.#spent = weight
  }
}

const budget = 10_000
const perMs = 1_000
