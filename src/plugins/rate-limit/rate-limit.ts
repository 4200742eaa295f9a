import { GatewayError } from '../../core/error.ts'
import type { Exchange } from '../../core/exchange.ts'
import type { Plugin } from '../../core/plugin.ts'
import { definePlugin, type PluginDefinition, type PluginHost } from '../../pipeline/registry.ts'
import { type Cell, counter } from '../instruments.ts'
import type { Decision, Verdict } from './decision.ts'
import { Limit, type Share } from './limit.ts'
import { limitsOf, type RateLimitOptions, rateLimitOptions } from './options.ts'
import { RedisLimiter } from './redis-limiter.ts'
import { StoreCircuit } from './store-circuit.ts'
import { takeInMemory } from './take-in-memory.ts'

/**
 * Limits how many requests a caller may make, by one limit or by several that all must let it pass; counted in memory or in Redis.
 * Every answer tells what is left (draft-ietf-httpapi-ratelimit-headers-10).
 */
export const rateLimit: PluginDefinition = definePlugin({
  name: 'rateLimit',
  options: rateLimitOptions,
  create: (settings, host): Plugin => new RateLimit(settings, host),
})

class RateLimit implements Plugin {
  readonly #options: RateLimitOptions
  readonly #host: PluginHost
  readonly #limits: readonly Limit[]
  readonly #redis: RedisLimiter | undefined
  readonly #circuit: StoreCircuit
  readonly #storeErrors: Cell

  constructor(settings: RateLimitOptions, host: PluginHost) {
    requireOwnNames(settings, host)
    this.#options = settings
    this.#host = host
    this.#limits = limitsOf(settings).map((options) => new Limit(options, host))
    this.#circuit = host.keep('rateLimit:circuit', () => new StoreCircuit())
    this.#redis = redisLimiter(settings, host)
    this.#storeErrors = counter(host.metrics, {
      name: 'gateway_ratelimit_store_errors_total',
      help: 'Requests to the store of rate limits that failed.',
      labelNames: [],
    }).labels()
  }

  onRequest(x: Exchange): void | Promise<void> {
    const shares: Share[] = []
    for (const limit of this.#limits) shares.push(limit.shareOf(x))
    if (this.#redis === undefined) {
      settle(x, shares, this.#local(shares))
      return
    }
    if (!this.#circuit.mayAsk(this.#host.now())) {
      this.#withoutStore(x, shares)
      return
    }
    return this.#redis.take(shares).then(
      (decision) => {
        if (this.#circuit.succeeded()) this.#host.log.info({}, 'rate limits are counted in Redis again')
        settle(x, shares, decision)
      },
      (error: unknown) => {
        this.#storeErrors.value++
        if (this.#circuit.failed(this.#host.now())) {
          this.#host.log.warn(
            { err: error, onStoreError: this.#options.onStoreError },
            'Redis fails rate limits',
          )
        }
        this.#withoutStore(x, shares)
      },
    )
  }

  #withoutStore(x: Exchange, shares: readonly Share[]): void {
    const { onStoreError } = this.#options
    if (onStoreError === 'local') {
      settle(x, shares, this.#local(shares))
    } else if (onStoreError === 'allow') {
      for (const { limit } of shares) limit.allowed.value++
    } else {
      for (const { limit } of shares) limit.denied.value++
      throw new GatewayError('UNAVAILABLE', 'Rate limits cannot be checked at the moment.', {
        retryAfterMs: 1_000,
      })
    }
  }

  #local(shares: readonly Share[]): Decision {
    return takeInMemory(shares, Math.trunc(this.#host.now() * 1_000))
  }
}

/** Tells what is left; throws when a limit refuses, with the one that takes longest. */
function settle(x: Exchange, shares: readonly Share[], { admitted, standings }: Decision): void {
  let policy = ''
  let left = ''
  let refusal: Share | undefined
  let waitMicros = 0
  for (let i = 0; i < shares.length; i++) {
    const share = shares[i] as Share
    const standing = standings[i] as Verdict
    const comma = i === 0 ? '' : ', '
    policy += comma + share.quota.policyItem
    left += `${comma}"${share.limit.name}";r=${standing.remaining};t=${Math.ceil(standing.waitMicros / 1_000_000)}`
    if (admitted) share.limit.allowed.value++
    if (standing.admits) continue
    share.limit.denied.value++
    if (standing.waitMicros < waitMicros) continue
    refusal = share
    waitMicros = standing.waitMicros
  }
  x.replyHeaders.push('RateLimit-Policy', policy, 'RateLimit', left)
  if (refusal === undefined) return
  throw new GatewayError(
    'RATE_LIMITED',
    `The rate limit "${refusal.limit.name}" of ${refusal.quota.limit} requests is used up.`,
    { retryAfterMs: Math.ceil(waitMicros / 1_000) },
  )
}

function redisLimiter(settings: RateLimitOptions, host: PluginHost): RedisLimiter | undefined {
  if (settings.store === 'memory') return undefined
  if (host.redis !== undefined) return new RedisLimiter(host.redis, settings.storeTimeout)
  if (settings.store === 'auto') return undefined
  const names = limitsOf(settings).map(({ name }) => `"${name}"`)
  throw new Error(`rateLimit ${names.join(', ')} has store: redis, but stores.redis is not configured`)
}

/** Two limits of one name in one list would count in the same place. */
function requireOwnNames(settings: RateLimitOptions, host: PluginHost): void {
  const uses = host.policy?.plugins.filter(({ name }) => name === 'rateLimit') ?? []
  const all = uses.map(({ options }) => options as RateLimitOptions)
  const seen = new Set<string>()
  for (const options of all.length === 0 ? [settings] : all) {
    for (const { name } of limitsOf(options)) {
      if (seen.has(name)) {
        const place = host.policy === undefined ? 'plugins' : `"${host.policy.id}"`
        throw new Error(`${place} has two rate limits named "${name}"; give each a name of its own`)
      }
      seen.add(name)
    }
  }
}
