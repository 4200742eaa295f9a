import type { Exchange } from '../../core/exchange.ts'
import { KeyTable } from '../../core/key-table.ts'
import type { PluginHost } from '../../pipeline/registry.ts'
import { type Cell, counter } from '../instruments.ts'
import { compilePartition, type Partition } from '../partition.ts'
import type { State } from './algorithm.ts'
import type { LimitOptions } from './options.ts'
import { type Quota, quotaOf } from './quota.ts'
import type { CountedInRedis } from './redis-limiter.ts'
import { priceOf } from './request-price.ts'
import type { Counted } from './take-in-memory.ts'

/** One of the limits of a plugin: who is counted together, what each may do, and how that is told. */
export class Limit {
  readonly name: string
  /** Whether it counts by operation, so that a request of GraphQL is counted only when its document is read. */
  readonly byOperation: boolean
  /** Whether it counts what operations cost, so that a request of GraphQL pays the rest when its document is read. */
  readonly inCost: boolean
  readonly #partition: Partition
  readonly #cost: LimitOptions['cost']
  /** Counts of this process. */
  readonly #table: KeyTable<State>
  /** Around the caller's key, the key in Redis; what is between braces decides its slot in a cluster. */
  readonly #redisKey: readonly [before: string, after: string]
  readonly allowed: Cell
  readonly denied: Cell
  readonly #quota: Quota
  /** By the id of a consumer or user, of whatever issuer; who has it is counted alone even so. */
  readonly #overrides: ReadonlyMap<string, Quota>

  /** @param apart whether callers may have slots of their own: not where limits of one plugin count by different things. */
  constructor(
    options: LimitOptions,
    { host, localShare, apart }: { host: PluginHost; localShare: number | undefined; apart: boolean },
  ) {
    const { name, algorithm, overrides = {} } = options
    const place = host.policy?.id ?? 'global'
    this.name = name
    this.byOperation = [options.by].flat().includes('operation')
    this.inCost = options.cost === 'operation'
    this.#partition = compilePartition(options.by, host.place.credentialHeaders)
    this.#cost = options.cost
    const shared = { name, algorithm, inCost: this.inCost, localShare: localShare ?? 1 }
    this.#quota = quotaOf(shared, options)
    this.#overrides = new Map(Object.entries(overrides).map(([id, other]) => [id, quotaOf(shared, other)]))
    this.#table = host.keep(`rateLimit:${place}:${name}`, () => new KeyTable<State>())
    this.#redisKey = apart ? [`trivium:rl:{${place}:`, `}:${name}`] : [`trivium:rl:{${place}}:${name}:`, '']
    const decisions = counter(host.metrics, {
      name: 'gateway_ratelimit_decisions_total',
      help: 'Decisions of rate limits.',
      labelNames: ['policy', 'decision'],
    })
    this.allowed = decisions.labels(`${place}:${name}`, 'allowed')
    this.denied = decisions.labels(`${place}:${name}`, 'denied')
  }

  /** The share of `x` in it; `operation` is the name of what it runs, where that is known. */
  shareOf(x: Exchange, operation = ''): Share {
    const key = this.#partition(x, operation)
    const quota =
      this.#overrides.size === 0 || x.principal === undefined
        ? this.#quota
        : (this.#overrides.get(x.principal.id) ?? this.#quota)
    return {
      limit: this,
      quota,
      algorithm: quota.algorithm,
      key,
      table: this.#table,
      redisKey: this.#redisKey[0] + key + this.#redisKey[1],
      cost: priceOf(this.#cost, x),
    }
  }
}

/** One request at one limit: what counts it, where, and what it costs. */
export interface Share extends Counted, CountedInRedis {
  readonly limit: Limit
  readonly quota: Quota
}
