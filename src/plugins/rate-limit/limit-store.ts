import { GatewayError } from '../../core/error.ts'
import type { PluginHost } from '../../pipeline/registry.ts'
import { type Cell, counter } from '../instruments.ts'
import type { Decision } from './decision.ts'
import { Leases } from './leases.ts'
import type { Share } from './limit.ts'
import { limitsOf, type RateLimitOptions } from './options.ts'
import { RedisLimiter } from './redis-limiter.ts'
import { StoreCircuit } from './store-circuit.ts'
import { giveBackInMemory, takeInMemory } from './take-in-memory.ts'

/** Where the counts of a plugin are: in this process, or in Redis with what holds while that fails. */
export class LimitStore {
  readonly #options: RateLimitOptions
  readonly #host: PluginHost
  readonly #redis: RedisLimiter | undefined
  readonly #leases: Leases | undefined
  readonly #circuit: StoreCircuit
  readonly #errors: Cell

  /** Throws when it is to be Redis, and there is none. */
  constructor(options: RateLimitOptions, host: PluginHost) {
    this.#options = options
    this.#host = host
    this.#redis = redisLimiter(options, host)
    if (this.#redis !== undefined && options.lease !== undefined)
      this.#leases = new Leases(this.#redis, { most: options.lease, now: () => host.now() })
    this.#circuit = host.keep('rateLimit:circuit', () => new StoreCircuit())
    this.#errors = counter(host.metrics, {
      name: 'gateway_ratelimit_store_errors_total',
      help: 'Requests to the store of rate limits that failed.',
      labelNames: [],
    }).labels()
  }

  /**
   * Counts a request at all limits, or at none if one refuses it. undefined: it passes uncounted, because Redis fails. Throws (or rejects with)
   * UNAVAILABLE when it is to be refused then.
   */
  take(shares: readonly Share[]): Decision | undefined | Promise<Decision | undefined> {
    if (this.#redis === undefined) return takeInMemory(shares, this.#nowMicros())
    const spent = this.#leases?.spend(shares)
    if (spent !== undefined) return spent
    if (!this.#circuit.mayAsk(this.#host.now())) return this.#withoutRedis(shares)
    return this.#takeFromRedis(this.#redis, shares)
  }

  /** Frees the place of a request that left the queue of a bucket, where nobody came after it. Whichever store has counted it knows it by its time. */
  giveBack(share: Share, turnAtMicros: number): void {
    giveBackInMemory(share, turnAtMicros)
    if (this.#redis !== undefined && this.#circuit.up) this.#redis.giveBack(share, turnAtMicros)
  }

  async #takeFromRedis(redis: RedisLimiter, shares: readonly Share[]): Promise<Decision | undefined> {
    let decision: Decision
    try {
      decision = await (this.#leases ?? redis).take(shares)
    } catch (err) {
      this.#errors.value++
      const { onStoreError } = this.#options
      if (this.#circuit.failed(this.#host.now()))
        this.#host.log.warn({ err, onStoreError }, 'Redis fails rate limits')
      return this.#withoutRedis(shares)
    }
    if (this.#circuit.succeeded()) this.#host.log.info({}, 'rate limits are counted in Redis again')
    return decision
  }

  #withoutRedis(shares: readonly Share[]): Decision | undefined {
    const { onStoreError, localShare } = this.#options
    if (onStoreError === 'local') {
      const own =
        localShare === undefined
          ? shares
          : shares.map((share) => ({ ...share, algorithm: share.quota.local }))
      return takeInMemory(own, this.#nowMicros())
    }
    if (onStoreError === 'allow') return undefined
    for (const { limit } of shares) limit.denied.value++
    throw new GatewayError('UNAVAILABLE', 'Rate limits cannot be checked at the moment.', {
      retryAfterMs: 1_000,
    })
  }

  #nowMicros(): number {
    return Math.trunc(this.#host.now() * 1_000)
  }
}

function redisLimiter(options: RateLimitOptions, host: PluginHost): RedisLimiter | undefined {
  if (options.store === 'memory') return undefined
  if (host.redis !== undefined) return new RedisLimiter(host.redis, options.storeTimeout)
  if (options.store === 'auto') return undefined
  const names = limitsOf(options).map(({ name }) => `"${name}"`)
  throw new Error(`rateLimit ${names.join(', ')} has store: redis, but stores.redis is not configured`)
}
