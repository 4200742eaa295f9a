import { networkOf } from './network-of.ts'

/** Networks that are remembered at the most; what one takes is some 150 bytes. */
const maxNetworks = 20_000

interface Failures {
  count: number
  /** When the first of them happened, Unix time in milliseconds. */
  readonly since: number
}

/** Counts what goes wrong by client address (IPv6: by its /64), so that guessing becomes slow. Bounded: of too many addresses the oldest are forgotten. */
export class FailedAttempts {
  readonly #limit: number
  readonly #windowMs: number
  /** The oldest first, because all windows are of one length. */
  readonly #networks = new Map<string, Failures>()

  /** More than `limit` failures in `windowMs` from the first one on are too many; with 0 none ever are. */
  constructor({ limit, windowMs }: { readonly limit: number; readonly windowMs: number }) {
    this.#limit = limit
    this.#windowMs = windowMs
  }

  /** How long an address has to wait, in milliseconds; 0: it need not. */
  waitMs(address: string, nowMs: number): number {
    if (this.#networks.size === 0) return 0
    const failures = this.#networks.get(networkOf(address))
    if (failures === undefined || failures.count < this.#limit) return 0
    return Math.max(0, failures.since + this.#windowMs - nowMs)
  }

  /** Notes a failure. */
  add(address: string, nowMs: number): void {
    if (this.#limit === 0) return
    const network = networkOf(address)
    const failures = this.#networks.get(network)
    if (failures !== undefined && nowMs < failures.since + this.#windowMs) {
      failures.count++
      return
    }
    this.#networks.delete(network)
    for (const [oldest, { since }] of this.#networks) {
      if (this.#networks.size < maxNetworks && nowMs < since + this.#windowMs) break
      this.#networks.delete(oldest)
    }
    this.#networks.set(network, { count: 1, since: nowMs })
  }

  /** Networks that are remembered. */
  get size(): number {
    return this.#networks.size
  }
}
