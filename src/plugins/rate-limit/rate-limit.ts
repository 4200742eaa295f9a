import type { Exchange } from '../../core/exchange.ts'
import type { Plugin } from '../../core/plugin.ts'
import { type ChargedOperation, chargeFurther, chargeOperation } from '../../core/request-cost.ts'
import { definePlugin, type PluginDefinition, type PluginHost } from '../../pipeline/registry.ts'
import { gauge } from '../instruments.ts'
import type { Decision, Verdict } from './decision.ts'
import { Limit, type Share } from './limit.ts'
import { LimitStore } from './limit-store.ts'
import { type LimitOptions, limitsOf, type RateLimitOptions, rateLimitOptions } from './options.ts'
import { headersOf, refusalOf } from './tell.ts'
import { Turns } from './turns.ts'

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
  readonly #limits: readonly Limit[]
  /** What can be counted before the document of a GraphQL request is read, and what can be counted only after that. */
  readonly #atDoor: readonly Limit[]
  readonly #atOperation: readonly Limit[]
  readonly #store: LimitStore
  readonly #turns: Turns

  constructor(settings: RateLimitOptions, host: PluginHost) {
    requireOwnNames(settings, host)
    const limits = limitsOf(settings)
    requireOperations(limits, host)
    const [first] = limits
    // Outside a cluster there is one slot, and keys stay the same when a limit by something else joins.
    const alike = limits.every(({ by }) => String(by) === String(first?.by))
    const apart = alike || host.redis?.isCluster !== true
    const { localShare } = settings
    this.#limits = limits.map((options) => new Limit(options, { host, localShare, apart }))
    this.#atDoor = this.#limits.filter(({ byOperation }) => !byOperation)
    this.#atOperation = this.#limits.filter(({ byOperation, inCost }) => byOperation || inCost)
    this.#store = new LimitStore(settings, host)
    const waiting = gauge(host.metrics, {
      name: 'gateway_ratelimit_waiting',
      help: 'Requests that wait for their turn in the queue of a rate limit.',
      labelNames: ['policy'],
    })
    this.#turns = new Turns(waiting.labels(host.policy?.id ?? 'global'))
  }

  onRequest(x: Exchange): void | Promise<void> {
    if (x.route.protocol === 'graphql') {
      this.#countFurther(x)
      if (this.#atOperation.length > 0) return this.#beforeOperation(x)
    }
    const shares: Share[] = []
    for (let i = 0; i < this.#limits.length; i++) shares.push((this.#limits[i] as Limit).shareOf(x))
    const decision = this.#store.take(shares)
    return decision instanceof Promise
      ? decision.then((made) => this.#settle(x, shares, made))
      : this.#settle(x, shares, decision)
  }

  /** Tells what is left and throws when a limit refuses; waits where it is a turn that was given. */
  #settle(x: Exchange, shares: readonly Share[], decision: Decision | undefined): void | Promise<void> {
    count(shares, decision)
    if (decision === undefined) return
    const { standings } = decision
    x.replyHeaders.push(...headersOf(shares, standings))
    return this.#finish(x, shares, decision)
  }

  #finish(
    x: Exchange,
    shares: readonly Share[],
    { admitted, nowMicros, standings }: Decision,
  ): void | Promise<void> {
    if (!admitted) throw refusalOf(shares, standings)
    let turnMicros = 0
    for (let i = 0; i < standings.length; i++)
      turnMicros = Math.max(turnMicros, (standings[i] as Verdict).turnMicros)
    if (turnMicros > 0) return this.#waitForTurn(x, shares, { turnMicros, nowMicros, standings })
  }

  async #waitForTurn(
    x: Exchange,
    shares: readonly Share[],
    { turnMicros, nowMicros, standings }: Pick<Decision, 'nowMicros' | 'standings'> & { turnMicros: number },
  ): Promise<void> {
    let left = true
    try {
      left = await this.#turns.wait(x, Math.ceil(turnMicros / 1_000))
    } finally {
      if (left) this.#giveBack(shares, { nowMicros, standings })
    }
  }

  #giveBack(
    shares: readonly Share[],
    { nowMicros, standings }: Pick<Decision, 'nowMicros' | 'standings'>,
  ): void {
    for (const [i, share] of shares.entries()) {
      const turn = standings[i]?.turnMicros ?? 0
      if (turn > 0) this.#store.giveBack(share, nowMicros + turn)
    }
  }

  /** A request of GraphQL pays 1 at the door, so that what never parses is counted too, and the rest when its operation is known. */
  async #beforeOperation(x: Exchange): Promise<void> {
    const shares = this.#atDoor.map((limit) => limit.shareOf(x))
    const decision = shares.length === 0 ? undefined : await this.#store.take(shares)
    const place = x.replyHeaders.length
    await this.#settle(x, shares, decision)
    const told = { place, shares, standings: decision?.standings ?? [] }
    const other = x.get(chargeOperation)
    x.set(chargeOperation, async (operation) => {
      await other?.(operation)
      await this.#charge(x, operation, told)
    })
  }

  /** Each operation of a batch pays at the door as if it had come alone. */
  #countFurther(x: Exchange): void {
    if (this.#atDoor.length === 0) return
    const other = x.get(chargeFurther)
    x.set(chargeFurther, async () => {
      await other?.()
      const shares = this.#atDoor.map((limit) => limit.shareOf(x))
      const decision = await this.#store.take(shares)
      count(shares, decision)
      if (decision !== undefined) await this.#finish(x, shares, decision)
    })
  }

  async #charge(x: Exchange, operation: ChargedOperation, door: ToldAtDoor): Promise<void> {
    const cost = Math.max(Math.ceil(operation.cost) || 1, 1)
    const shares: Share[] = []
    for (const limit of this.#atOperation) {
      if (operation.again === true && !limit.inCost) continue
      const share = limit.shareOf(x, operation.name)
      const price = limit.inCost ? Math.min(share.cost * cost, maxPrice) : share.cost
      const paid = limit.byOperation || operation.again === true ? 0 : share.cost
      if (price > paid) shares.push({ ...share, cost: price - paid, price })
    }
    if (shares.length === 0) return
    const decision = await this.#store.take(shares)
    // Who paid at the door was counted there.
    if (decision?.admitted === false) count(shares, decision)
    else for (const { limit } of shares) if (limit.byOperation) limit.allowed.value++
    if (decision === undefined) return
    // The answer has begun: nobody would read what is left of the limits.
    if (operation.again === true) return this.#finish(x, shares, decision)
    const all = [...door.shares]
    const standings = [...door.standings]
    for (const [i, share] of shares.entries()) {
      const at = all.findIndex(({ limit }) => limit === share.limit)
      const place = at === -1 ? all.length : at
      all[place] = share
      standings[place] = decision.standings[i] as Verdict
    }
    const headers = headersOf(all, standings)
    if (door.standings.length === 0) x.replyHeaders.push(...headers)
    else for (const [i, text] of headers.entries()) x.replyHeaders[door.place + i] = text
    await this.#finish(x, shares, decision)
  }
}

/** More than any limit has, and a number that Redis reads as whole: what an operation costs is for its client to choose. */
const maxPrice = 2_000_000_000

interface ToldAtDoor {
  /** Where its headers are among those of the reply. */
  readonly place: number
  readonly shares: readonly Share[]
  readonly standings: readonly Verdict[]
}

/** For metrics. */
function count(shares: readonly Share[], decision: Decision | undefined): void {
  for (let i = 0; i < shares.length; i++) {
    const { limit } = shares[i] as Share
    if (decision?.admitted ?? true) limit.allowed.value++
    else if (decision?.standings[i]?.admits === false) limit.denied.value++
  }
}

function requireOperations(limits: readonly LimitOptions[], { place }: PluginHost): void {
  if (place.protocol === undefined || place.protocol === 'graphql') return
  if (limits.some(({ cost }) => cost === 'operation'))
    throw new Error('`cost: operation` is what operations of GraphQL cost; here, give numbers')
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
