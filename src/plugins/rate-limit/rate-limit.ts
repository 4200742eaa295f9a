import { GatewayError } from '../../core/error.ts'
import type { Exchange } from '../../core/exchange.ts'
import type { Plugin } from '../../core/plugin.ts'
import { definePlugin, type PluginDefinition, type PluginHost } from '../../pipeline/registry.ts'
import { type Cell, counter } from '../instruments.ts'
import type { Decision } from './gcra.ts'
import { MemoryLimiter } from './memory-limiter.ts'
import { type RateLimitOptions, rateLimitOptions } from './options.ts'
import { partitionKey } from './partition.ts'
import { type Quota, quotaOf } from './quota.ts'
import { RedisLimiter } from './redis-limiter.ts'
import { StoreCircuit } from './store-circuit.ts'

/**
 * Limits how many requests a caller may make: a token bucket in memory or in Redis. Every answer tells what is left
 * (draft-ietf-httpapi-ratelimit-headers-10); several limits may stand in one list.
 */
export const rateLimit: PluginDefinition = definePlugin({
  name: 'rateLimit',
  options: rateLimitOptions,
  create: (settings, host): Plugin => new RateLimit(settings, host),
})

class RateLimit implements Plugin {
  readonly #options: RateLimitOptions
  readonly #host: PluginHost
  readonly #quota: Quota
  /** By partition key. */
  readonly #overrides: ReadonlyMap<string, Quota>
  readonly #memory: MemoryLimiter
  readonly #redis: RedisLimiter | undefined
  readonly #circuit: StoreCircuit
  readonly #limitHeaderStart: string
  readonly #allowed: Cell
  readonly #denied: Cell
  readonly #storeErrors: Cell

  constructor(settings: RateLimitOptions, host: PluginHost) {
    const { name } = settings
    const policy = `${host.policy?.id ?? 'global'}:${name}`
    requireOwnName(name, host)
    this.#options = settings
    this.#host = host
    this.#quota = quotaOf(name, settings)
    this.#overrides = overridesOf(settings)
    this.#memory = host.keep(`rateLimit:${policy}`, () => new MemoryLimiter())
    this.#circuit = host.keep('rateLimit:circuit', () => new StoreCircuit())
    this.#redis = redisLimiter(settings, host, policy)
    this.#limitHeaderStart = `"${name}";r=`
    const decisions = counter(host.metrics, {
      name: 'gateway_ratelimit_decisions_total',
      help: 'Decisions of rate limits.',
      labelNames: ['policy', 'decision'],
    })
    this.#allowed = decisions.labels(policy, 'allowed')
    this.#denied = decisions.labels(policy, 'denied')
    this.#storeErrors = counter(host.metrics, {
      name: 'gateway_ratelimit_store_errors_total',
      help: 'Requests to the store of rate limits that failed.',
      labelNames: [],
    }).labels()
  }

  onRequest(x: Exchange): void | Promise<void> {
    const key = partitionKey(x, this.#options.by)
    const quota = this.#quotaOf(x)
    if (this.#redis === undefined) {
      this.#settle(x, quota, this.#local(quota, key))
      return
    }
    if (!this.#circuit.mayAsk(this.#host.now())) {
      this.#withoutStore(x, quota, key)
      return
    }
    return this.#redis.take(quota.bucket, key).then(
      (decision) => {
        if (this.#circuit.succeeded()) this.#host.log.info({}, 'rate limits are counted in Redis again')
        this.#settle(x, quota, decision)
      },
      (error: unknown) => {
        this.#storeErrors.value++
        if (this.#circuit.failed(this.#host.now())) {
          this.#host.log.warn(
            { err: error, onStoreError: this.#options.onStoreError },
            'Redis fails rate limits',
          )
        }
        this.#withoutStore(x, quota, key)
      },
    )
  }

  /** That of the consumer or user by id, of whatever issuer; who has it is counted alone even so. */
  #quotaOf({ principal }: Exchange): Quota {
    const { by } = this.#options
    if (this.#overrides.size === 0 || principal === undefined || by === 'ip' || by === 'route')
      return this.#quota
    return this.#overrides.get(principal.id) ?? this.#quota
  }

  #withoutStore(x: Exchange, quota: Quota, key: string): void {
    const { onStoreError } = this.#options
    if (onStoreError === 'local') {
      this.#settle(x, quota, this.#local(quota, key))
    } else if (onStoreError === 'allow') {
      this.#allowed.value++
    } else {
      this.#denied.value++
      throw new GatewayError('UNAVAILABLE', 'Rate limits cannot be checked at the moment.', {
        retryAfterMs: 1_000,
      })
    }
  }

  #local(quota: Quota, key: string): Decision {
    return this.#memory.take(quota.bucket, key, Math.trunc(this.#host.now() * 1_000))
  }

  #settle(x: Exchange, { limit, policyHeader }: Quota, { admitted, remaining, waitMicros }: Decision): void {
    const t = Math.ceil(waitMicros / 1_000_000)
    x.replyHeaders.push(
      'RateLimit-Policy',
      policyHeader,
      'RateLimit',
      `${this.#limitHeaderStart}${remaining};t=${t}`,
    )
    if (admitted) {
      this.#allowed.value++
      return
    }
    this.#denied.value++
    throw new GatewayError(
      'RATE_LIMITED',
      `The rate limit "${this.#options.name}" of ${limit} requests is used up.`,
      {
        retryAfterMs: Math.ceil(waitMicros / 1_000),
      },
    )
  }
}

function overridesOf({ name, overrides }: RateLimitOptions): ReadonlyMap<string, Quota> {
  return new Map(
    Object.entries(overrides).map(([id, options]): [string, Quota] => [id, quotaOf(name, options)]),
  )
}

function redisLimiter(
  settings: RateLimitOptions,
  host: PluginHost,
  policy: string,
): RedisLimiter | undefined {
  if (settings.store === 'memory') return undefined
  if (host.redis !== undefined) return new RedisLimiter(host.redis, policy, settings.storeTimeout)
  if (settings.store === 'auto') return undefined
  throw new Error(`rateLimit "${settings.name}" has store: redis, but stores.redis is not configured`)
}

/** Two limits of one name in one list would count in the same buckets. */
function requireOwnName(name: string, host: PluginHost): void {
  const uses = host.policy?.plugins ?? []
  const same = uses.filter(
    (use) => use.name === 'rateLimit' && (use.options as Partial<RateLimitOptions>).name === name,
  )
  if (same.length < 2) return
  throw new Error(
    `"${host.policy?.id}" has two rateLimit plugins named "${name}"; give each a name of its own`,
  )
}
