import type { Decision } from './decision.ts'
import { type Answer, type CountedInRedis, type RedisLimiter, read } from './redis-limiter.ts'

/** A lease that was not used up dies after this long, or with its window where windows are fixed. */
const maxLifeMs = 1_000
/** Callers with a lease at the most; the oldest lease goes first, unspent. */
const maxLeases = 10_000

interface Lease {
  /** Requests to ask for: grows while leases are used up, so that who comes seldom leaves little unspent. */
  size: number
  /** Requests that Redis has counted, and that nobody has made yet. */
  left: number
  /** What Redis said with it. */
  answer: Answer
  /** When it was asked for, and until when it may be spent; Unix milliseconds. */
  askedAt: number
  diesAt: number
  asking: Promise<void> | undefined
  /** Requests that wait for `asking`. */
  waiting: number
}

/**
 * Takes requests from Redis in small batches and spends them here. Redis counts a batch when it is taken: at most `most` - 1 requests of a caller for each
 * gateway are made later than they are counted, or never. A batch dies with its window where windows are fixed, so that none of theirs is late.
 */
export class Leases {
  readonly #limiter: RedisLimiter
  readonly #most: number
  readonly #now: () => number
  readonly #leases = new Map<string, Lease>()

  /** @param now Unix milliseconds. */
  constructor(limiter: RedisLimiter, options: { readonly most: number; readonly now: () => number }) {
    this.#limiter = limiter
    this.#most = options.most
    this.#now = options.now
  }

  /** Spends what is there; undefined: nothing is. */
  spend(limits: readonly CountedInRedis[]): Decision | undefined {
    const lease = this.#leases.get(keyOf(limits))
    if (lease === undefined || lease.left === 0 || !isAlive(lease, this.#now())) return undefined
    return spent(limits, lease, (this.#now() - lease.askedAt) * 1_000)
  }

  /** Asks Redis for a batch. Whoever comes meanwhile waits for the same answer. Rejects as {@link RedisLimiter.ask} does. */
  async take(limits: readonly CountedInRedis[]): Promise<Decision> {
    const lease = this.#leaseOf(keyOf(limits))
    for (;;) {
      lease.waiting++
      try {
        lease.asking ??= this.#refill(lease, limits)
        await lease.asking
      } finally {
        lease.waiting--
      }
      // What was just counted is spent even if its time is over already.
      if (lease.left > 0) return spent(limits, lease, 0)
      if (lease.answer[1] === 0) return read(limits, lease.answer)
    }
  }

  async #refill(lease: Lease, limits: readonly CountedInRedis[]): Promise<void> {
    try {
      // Others of the same turn are asked for as well.
      await Promise.resolve()
      const now = this.#now()
      lease.size = isAlive(lease, now) ? Math.min(2 * lease.size, this.#most) : 1
      lease.left = 0
      lease.askedAt = now
      const answer = await this.#limiter.ask(limits, Math.max(lease.size, lease.waiting))
      lease.answer = answer
      lease.left = answer[1] ?? 0
      lease.diesAt = now + lifeMs(limits, answer)
    } finally {
      lease.asking = undefined
    }
  }

  #leaseOf(key: string): Lease {
    const known = this.#leases.get(key)
    if (known !== undefined) return known
    if (this.#leases.size >= maxLeases) {
      const [oldest] = this.#leases.keys()
      if (oldest !== undefined) this.#leases.delete(oldest)
    }
    const lease: Lease = {
      size: 1,
      left: 0,
      answer: [],
      askedAt: 0,
      diesAt: 0,
      asking: undefined,
      waiting: 0,
    }
    this.#leases.set(key, lease)
    return lease
  }
}

/** Requests of one price share a lease. */
function keyOf(limits: readonly CountedInRedis[]): string {
  let key = ''
  for (let i = 0; i < limits.length; i++) {
    const { redisKey, cost } = limits[i] as CountedInRedis
    key += `${redisKey}\0${cost}\0`
  }
  return key
}

/** The lower side holds when the clock went back. */
function isAlive({ askedAt, diesAt }: Lease, now: number): boolean {
  return now < diesAt && now >= askedAt
}

function lifeMs(limits: readonly CountedInRedis[], answer: Answer): number {
  const { nowMicros, standings } = read(limits, answer)
  let life = maxLifeMs
  for (const [i, { algorithm }] of limits.entries()) {
    const [kind] = algorithm.script
    if (kind === 2 || kind === 5) life = Math.min(life, (standings[i]?.waitMicros ?? 0) / 1_000)
  }
  return nowMicros === 0 ? 0 : life
}

function spent(limits: readonly CountedInRedis[], lease: Lease, laterMicros: number): Decision {
  lease.left--
  const { admitted, nowMicros, standings } = read(limits, lease.answer, laterMicros)
  const left = (i: number): number => lease.left * (limits[i]?.cost ?? 1)
  return {
    admitted,
    nowMicros,
    standings: standings.map((standing, i) => ({ ...standing, remaining: standing.remaining + left(i) })),
  }
}
