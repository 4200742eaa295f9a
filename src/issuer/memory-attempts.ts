import {
  type AttemptKeys,
  type AttemptLimits,
  type Attempts,
  delayAfter,
  knownForMs,
  maxUserDelayMs,
  tooManyAttempts,
} from './attempts.ts'

interface Count {
  failures: number
  /** Unix time in milliseconds, all three. */
  waitUntil: number
  forgetAt: number
  knownUntil: number
}

const maxCounts = 100_000
/** How many old counts a new one looks at; above one, so that what is forgotten leaves faster than new ones come. */
const lookedAt = 8

/** Failed logins as one gateway has seen them. */
export class MemoryAttempts implements Attempts {
  /** Set by each configuration: counts outlive it. */
  limits: AttemptLimits
  readonly #counts = new Map<string, Count>()
  readonly #now: () => number
  #hand = this.#counts.entries()

  constructor(limits: AttemptLimits, now: () => number) {
    this.limits = limits
    this.#now = now
  }

  get size(): number {
    return this.#counts.size
  }

  async begin({ pair, address, user }: AttemptKeys): Promise<void> {
    const now = this.#now()
    const { perUserAndAddress, perAddress, perUser, delayMs, maxDelayMs, forgetAfterMs } = this.limits
    const isKnown = (this.#counts.get(pair)?.knownUntil ?? 0) > now
    const counted = [
      { key: pair, free: perUserAndAddress, most: maxDelayMs },
      { key: address, free: perAddress, most: maxDelayMs },
      ...(isKnown ? [] : [{ key: user, free: perUser, most: Math.min(maxDelayMs, maxUserDelayMs) }]),
    ]
    const waitMs = Math.max(...counted.map(({ key }) => (this.#counts.get(key)?.waitUntil ?? 0) - now))
    if (waitMs > 0) throw tooManyAttempts(waitMs)
    for (const { key, free, most } of counted) {
      const count = this.#countOf(key, now)
      if (count.forgetAt <= now) count.failures = 0
      count.failures++
      count.waitUntil = now + delayAfter(count.failures, free, { delayMs, maxDelayMs: most })
      count.forgetAt = count.waitUntil + forgetAfterMs
    }
  }

  async succeeded({ pair, address, user }: AttemptKeys): Promise<void> {
    const now = this.#now()
    const known = this.#countOf(pair, now)
    known.failures = 0
    known.waitUntil = 0
    known.knownUntil = now + knownForMs
    for (const key of [address, user]) {
      const count = this.#counts.get(key)
      if (count === undefined) continue
      count.failures = Math.max(0, count.failures - 1)
      count.waitUntil = 0
    }
  }

  #countOf(key: string, now: number): Count {
    let count = this.#counts.get(key)
    if (count === undefined) {
      this.#makeRoom(now)
      count = { failures: 0, waitUntil: 0, forgetAt: 0, knownUntil: 0 }
      this.#counts.set(key, count)
    }
    return count
  }

  /** Drops what is forgotten among the next few; when there is no room even so, the one of them with the fewest failures. */
  #makeRoom(now: number): void {
    let least: string | undefined
    let fewest = Number.POSITIVE_INFINITY
    for (let i = 0; i < lookedAt && this.#counts.size > 0; i++) {
      let next = this.#hand.next()
      if (next.done) {
        this.#hand = this.#counts.entries()
        next = this.#hand.next()
        if (next.done) break
      }
      const [key, { failures, forgetAt, knownUntil }] = next.value
      if (forgetAt <= now && knownUntil <= now) this.#counts.delete(key)
      else if (failures < fewest) {
        least = key
        fewest = failures
      }
    }
    if (this.#counts.size >= maxCounts && least !== undefined) this.#counts.delete(least)
  }
}
