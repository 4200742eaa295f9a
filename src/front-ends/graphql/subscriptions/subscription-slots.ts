import { GatewayError } from '../../../core/error.ts'
import type { Exchange } from '../../../core/exchange.ts'

/** How many subscriptions may be open at once. */
export interface SlotLimits {
  /** In this process. */
  readonly max: number
  /** Of one caller: a user, or an address that is nobody's. */
  readonly perCaller: number
}

/** Counts the open subscriptions of a front-end. */
export class SubscriptionSlots {
  readonly #limits: SlotLimits
  readonly #byCaller = new Map<string, number>()
  #count = 0

  constructor(limits: SlotLimits) {
    this.#limits = limits
  }

  /** Returns what frees it again, to be called once. Throws OVERLOADED, TOO_MANY_AT_ONCE. */
  take(x: Exchange): () => void {
    const { max, perCaller } = this.#limits
    if (this.#count >= max)
      throw new GatewayError('OVERLOADED', 'The gateway has as many subscriptions as it takes.', {
        retryAfterMs,
      })
    const caller = callerOf(x)
    const open = this.#byCaller.get(caller) ?? 0
    if (open >= perCaller) {
      const message = `At most ${perCaller} subscriptions may be open at once.`
      throw new GatewayError('TOO_MANY_AT_ONCE', message, { retryAfterMs })
    }
    this.#count++
    this.#byCaller.set(caller, open + 1)
    return () => {
      this.#count--
      const left = (this.#byCaller.get(caller) ?? 1) - 1
      if (left > 0) this.#byCaller.set(caller, left)
      else this.#byCaller.delete(caller)
    }
  }
}

function callerOf({ principal, request }: Exchange): string {
  return principal === undefined ? ` ${request.clientAddress}` : `${principal.issuer ?? ''} ${principal.id}`
}

const retryAfterMs = 5_000
