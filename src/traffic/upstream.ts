import type { Exchange } from '../core/exchange.ts'
import type { ExpectedTarget } from '../core/expected-target.ts'
import type { Logger } from '../core/log.ts'
import type { Target } from '../core/target.ts'
import { type Balancer, type BalancingPolicy, createBalancer } from './balancing/balancer.ts'
import { hashText } from './balancing/hash.ts'
import { compileHashKey, type HashKey } from './balancing/hash-key.ts'
import { compileSticky, type Sticky, type StickyOptions } from './balancing/sticky.ts'
import { usable } from './balancing/usable.ts'
import type { Breaker } from './breaker.ts'
import { type CircuitOptions, createCircuit } from './circuit.ts'
import { Ejection, type EjectionOptions } from './ejection.ts'
import { Endpoint } from './endpoint.ts'
import { Gate, type GateOptions } from './gate.ts'
import type { ConnectionOptions } from './http-connections.ts'
import { Retry, type RetryOptions } from './retry.ts'

/** How an upstream is reached; every duration in milliseconds. */
export interface UpstreamOptions {
  /** Those that it begins with. */
  readonly targets: readonly Target[]
  readonly connections: ConnectionOptions
  readonly balancing: BalancingOptions
  readonly ejection: EjectionOptions
  /** From sending a request to the head of its answer, per call (all attempts together). 0: no limit. */
  readonly requestTimeoutMs: number
  /** From the beginning of a call to the last byte of its answer; streams have no such limit. 0: no limit. */
  readonly totalTimeoutMs: number
  /** Tells the upstream how many milliseconds are left of `requestTimeoutMs`. */
  readonly timeHeader: string | undefined
  /** Between two pieces of a body. 0: no limit. */
  readonly bodyIdleTimeoutMs: number
  readonly retry: RetryOptions
  /** Undefined: no circuits. */
  readonly circuit: CircuitOptions | undefined
  /** Absent: any number of calls may be under way. */
  readonly concurrency?: GateOptions | undefined
  readonly log: Logger
}

/** How a target is chosen. */
export interface BalancingOptions {
  readonly policy: BalancingPolicy
  /** What `consistentHash` hashes: see {@link compileHashKey}. */
  readonly hashOn: readonly string[]
  /** How long a target that came back takes to get its full share, in milliseconds; 0: at once. */
  readonly slowStartMs: number
  readonly panicThresholdPercent: number
  readonly sticky: StickyOptions | undefined
}

/** A named group of endpoints that answer alike. */
export class Upstream {
  readonly name: string
  readonly options: UpstreamOptions
  /** Told how each attempt ended. */
  readonly ejection: Ejection
  /** Decides about second tries. */
  readonly retry: Retry
  /** Undefined: it has none of its own. */
  readonly circuit: Breaker | undefined
  /** Calls that its fallback took: another upstream, or a static answer. */
  fallbacks = 0
  /** Undefined: there is no limit. */
  readonly gate: Gate | undefined
  readonly #balancer: Balancer
  readonly #hashKey: HashKey | undefined
  #endpoints: readonly Endpoint[]
  /** No targets any more, but calls are still on them. */
  readonly #leaving = new Set<Endpoint>()
  #sticky: Sticky<Endpoint> | undefined
  #usable: readonly Endpoint[] = []

  constructor(name: string, options: UpstreamOptions) {
    const { balancing, ejection, circuit, log } = options
    this.name = name
    this.options = options
    this.#endpoints = options.targets.map((target) => this.#endpointOf(target))
    this.circuit = createCircuit(circuit, { upstream: name, log })
    this.ejection = new Ejection(name, this.#endpoints, { ...ejection, log })
    this.retry = new Retry(options.retry)
    this.gate = options.concurrency && new Gate(name, options.concurrency)
    this.#balancer = createBalancer(balancing.policy)
    this.#hashKey = balancing.policy === 'consistentHash' ? compileHashKey(balancing.hashOn) : undefined
    this.#sticky = balancing.sticky && compileSticky(this.#endpoints, balancing.sticky)
  }

  /** Replaced as a whole by {@link setTargets}. */
  get endpoints(): readonly Endpoint[] {
    return this.#endpoints
  }

  /**
   * These are the targets from now on, each URL once. Those that stay keep their connections, health and counters; a new one is innocent
   * and starts slowly; one that is gone gets no new calls, and is closed after the last that is on it.
   */
  setTargets(targets: readonly Target[]): void {
    const { balancing } = this.options
    const before = new Map(this.#endpoints.map((endpoint) => [endpoint.url, endpoint]))
    const servesAlready = before.size > 0
    this.#endpoints = targets.map((target) => {
      const known = before.get(new URL(target.url).origin)
      if (known === undefined) {
        const added = this.#endpointOf(target)
        if (servesAlready) added.joined()
        return added
      }
      before.delete(known.url)
      known.use(target)
      return known
    })
    this.ejection.follow(this.#endpoints)
    this.#sticky = balancing.sticky && compileSticky(this.#endpoints, balancing.sticky)
    for (const gone of before.values()) {
      this.#leaving.add(gone)
      void gone.retire().finally(() => this.#leaving.delete(gone))
    }
  }

  /** The endpoint for the next attempt, another than `avoid` when there is one; undefined when none is available. */
  pick(x: Exchange, avoid: Endpoint | undefined): Endpoint | undefined {
    const now = performance.now()
    const kept = this.#sticky?.target(x.header('cookie'))
    if (kept !== undefined && kept !== avoid && kept.available(now)) return kept
    const chosen = this.#choose(x, avoid, now)
    if (this.#sticky !== undefined && chosen !== undefined) this.#remember(x, this.#sticky.setCookie(chosen))
    return chosen
  }

  /** The endpoint for the copy of a call, of which its client knows nothing: cookies are neither read nor set. */
  pickForCopy(x: Exchange): Endpoint | undefined {
    return this.#choose(x, undefined, performance.now())
  }

  /** The endpoint that {@link pick} would give, as far as that can be told; nothing changes by it. */
  expect(x: Exchange): ExpectedTarget {
    const now = performance.now()
    const { name: upstream } = this
    const kept = this.#sticky?.target(x.header('cookie'))
    if (kept?.available(now) === true) return { upstream, by: 'cookie', among: [kept.url], target: kept.url }
    const candidates = this.#candidates(now)
    const key = this.#hashKey?.(x)
    const isKnown = this.#hashKey === undefined || key !== undefined
    const next =
      candidates.length > 1 && isKnown
        ? this.#balancer.peek?.(candidates, hashText(key ?? ''))
        : candidates.length === 1
          ? candidates[0]
          : undefined
    const by = this.options.balancing.policy
    return { upstream, by, among: candidates.map(({ url }) => url), target: next?.url }
  }

  /** Whether an endpoint other than this one can be asked. */
  hasAnother(than: Endpoint): boolean {
    const now = performance.now()
    for (const one of this.endpoints) if (one !== than && one.weight > 0 && one.available(now)) return true
    return false
  }

  /** Calls that have not ended; where none is limited, attempts. */
  get inFlight(): number {
    return this.gate?.inFlight ?? this.endpoints.reduce((sum, { active }) => sum + active, 0)
  }

  /** Whether clients come back to their target by a cookie. */
  get isSticky(): boolean {
    return this.#sticky !== undefined
  }

  async close(): Promise<void> {
    this.ejection.close()
    await Promise.all([...this.#endpoints, ...this.#leaving].map((endpoint) => endpoint.close()))
  }

  #endpointOf(target: Target): Endpoint {
    const { connections, circuit, log } = this.options
    return new Endpoint(
      target,
      connections,
      createCircuit(circuit, { upstream: this.name, target: target.url, log }),
    )
  }

  #choose(x: Exchange, avoid: Endpoint | undefined, now: number): Endpoint | undefined {
    const candidates = (avoid && this.#without(avoid, now)) ?? this.#candidates(now)
    if (candidates.length === 0) return undefined
    const { slowStartMs } = this.options.balancing
    if (slowStartMs > 0) for (const candidate of candidates) candidate.warm(now, slowStartMs)
    return this.#balancer.pick(candidates, this.#hash(x), now)
  }

  #candidates(now: number): readonly Endpoint[] {
    const { panicThresholdPercent } = this.options.balancing
    this.#usable = usable(this.#endpoints, { now, panicThresholdPercent, previous: this.#usable })
    return this.#usable
  }

  /** Also those that stand by, when nothing else is left; undefined when there are none. */
  #without(avoid: Endpoint, now: number): readonly Endpoint[] | undefined {
    const others = this.#endpoints.filter((endpoint) => endpoint !== avoid)
    const found = usable(others, { now, panicThresholdPercent: 0, previous: [] })
    return found.length === 0 ? undefined : found
  }

  #hash(x: Exchange): number {
    if (this.#hashKey === undefined) return 0
    const key = this.#hashKey(x)
    return key === undefined ? Math.floor(Math.random() * 2 ** 32) : hashText(key)
  }

  /** The cookie of the last attempt counts. */
  #remember({ replyHeaders }: Exchange, cookie: string): void {
    const start = cookie.slice(0, cookie.indexOf('=') + 1)
    for (let i = 0; i < replyHeaders.length; i += 2) {
      if (replyHeaders[i] !== 'Set-Cookie' || replyHeaders[i + 1]?.startsWith(start) !== true) continue
      replyHeaders[i + 1] = cookie
      return
    }
    replyHeaders.push('Set-Cookie', cookie)
  }
}
