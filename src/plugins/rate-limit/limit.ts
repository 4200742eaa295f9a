import type { Exchange } from '../../core/exchange.ts'
import type { PluginHost } from '../../pipeline/registry.ts'
import { type Cell, counter } from '../instruments.ts'
import { compilePartition, type Partition } from '../partition.ts'
import { KeyTable } from './key-table.ts'
import type { LimitOptions } from './options.ts'
import { type Quota, quotaOf } from './quota.ts'
import type { CountedInRedis } from './redis-limiter.ts'
import type { Counted } from './take-in-memory.ts'

/** One of the limits of a plugin: who is counted together, what each may do, and how that is told. */
export class Limit {
  readonly name: string
  readonly #partition: Partition
  /** Counts of this process. */
  readonly #table: KeyTable
  /** With the caller's key behind it, the key in Redis; the part in braces keeps all limits of a place in one hash slot. */
  readonly #redisPrefix: string
  readonly allowed: Cell
  readonly denied: Cell
  readonly #quota: Quota
  /** By the id of a consumer or user, of whatever issuer; who has it is counted alone even so. */
  readonly #overrides: ReadonlyMap<string, Quota>

  constructor(options: LimitOptions, host: PluginHost) {
    const { name, algorithm } = options
    const place = host.policy?.id ?? 'global'
    this.name = name
    this.#partition = compilePartition(options.by)
    this.#quota = quotaOf(options, options)
    this.#overrides = overridesOf(options)
    this.#table = host.keep(`rateLimit:${place}:${name}:${algorithm}`, () => new KeyTable())
    this.#redisPrefix = `trivium:rl:{${place}}:${name}:${algorithm}:`
    const decisions = counter(host.metrics, {
      name: 'gateway_ratelimit_decisions_total',
      help: 'Decisions of rate limits.',
      labelNames: ['policy', 'decision'],
    })
    this.allowed = decisions.labels(`${place}:${name}`, 'allowed')
    this.denied = decisions.labels(`${place}:${name}`, 'denied')
  }

  /** The share of `x` in it. */
  shareOf(x: Exchange): Share {
    const key = this.#partition(x)
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
      redisKey: this.#redisPrefix + key,
    }
  }
}

/** One request at one limit: what counts it, and where. */
export interface Share extends Counted, CountedInRedis {
  readonly limit: Limit
  readonly quota: Quota
}

function overridesOf(options: LimitOptions): ReadonlyMap<string, Quota> {
  if (options.by !== 'consumer' && options.by !== 'user') return new Map()
  return new Map(
    Object.entries(options.overrides ?? {}).map(([id, other]): [string, Quota] => [
      id,
      quotaOf(options, other),
    ]),
  )
}
