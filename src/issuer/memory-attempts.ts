import type { AttemptCounts } from './attempt-counts.ts'
import {
  type AttemptKeys,
  type AttemptLimits,
  type Attempts,
  delayAfter,
  knownForMs,
  maxUserDelayMs,
  tooManyAttempts,
} from './attempts.ts'

/** What {@link MemoryAttempts} counts in, and by which clock; the counts outlive a configuration. */
export interface MemoryAttemptsOptions {
  readonly counts: AttemptCounts
  readonly now: () => number
}

/** Failed logins as one gateway has seen them. */
export class MemoryAttempts implements Attempts {
  readonly #limits: AttemptLimits
  readonly #counts: AttemptCounts
  readonly #now: () => number

  constructor(limits: AttemptLimits, { counts, now }: MemoryAttemptsOptions) {
    this.#limits = limits
    this.#counts = counts
    this.#now = now
  }

  async begin({ pair, address, user }: AttemptKeys): Promise<void> {
    const now = this.#now()
    const { perUserAndAddress, perAddress, perUser, delayMs, maxDelayMs, forgetAfterMs } = this.#limits
    const isKnown = (this.#counts.find(pair)?.knownUntil ?? 0) > now
    const counted = [
      { key: pair, free: perUserAndAddress, most: maxDelayMs },
      { key: address, free: perAddress, most: maxDelayMs },
      ...(isKnown ? [] : [{ key: user, free: perUser, most: Math.min(maxDelayMs, maxUserDelayMs) }]),
    ]
    const waitMs = Math.max(...counted.map(({ key }) => (this.#counts.find(key)?.waitUntil ?? 0) - now))
    if (waitMs > 0) throw tooManyAttempts(waitMs)
    for (const { key, free, most } of counted) {
      const count = this.#counts.of(key, now)
      if (count.forgetAt <= now) count.failures = 0
      count.failures++
      count.waitUntil = now + delayAfter(count.failures, free, { delayMs, maxDelayMs: most })
      count.forgetAt = count.waitUntil + forgetAfterMs
    }
  }

  async succeeded({ pair, address, user }: AttemptKeys): Promise<void> {
    const now = this.#now()
    const known = this.#counts.of(pair, now)
    known.failures = 0
    known.waitUntil = 0
    known.knownUntil = now + knownForMs
    for (const key of [address, user]) {
      const count = this.#counts.find(key)
      if (count === undefined) continue
      count.failures = Math.max(0, count.failures - 1)
      count.waitUntil = 0
    }
  }
}
