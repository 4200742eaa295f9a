import type { Pool } from 'undici'
import type { Target } from '../core/target.ts'
import type { Balanced } from './balancing/balancer.ts'
import { PeakEwma } from './balancing/peak-ewma.ts'
import { slowStartFactor } from './balancing/slow-start.ts'
import type { Selectable } from './balancing/usable.ts'
import type { Breaker } from './breaker.ts'
import { type ConnectionOptions, HttpConnections } from './http-connections.ts'
import { NameLookup } from './name-lookup.ts'

/** One target of an upstream with its connections and its health; the upstream asks it one question, {@link available}. */
export class Endpoint implements Balanced, Selectable {
  readonly url: string
  readonly connections: ConnectionOptions
  readonly names = new NameLookup()
  readonly latency = new PeakEwma()
  /** Undefined: it has none of its own. */
  readonly circuit: Breaker | undefined
  /** Less than {@link weight} while it starts slowly. */
  effectiveWeight: number
  /** Attempts that are on it now. */
  active = 0
  /** Whether it is left out for failing calls. */
  ejected = false
  /** What its calls end with, one after the other, although it is not left out; empty: they do not. */
  failing = ''
  /** How often it came in and went out, and what said so. */
  readonly changes: Readonly<Record<HealthCause, HealthCounts>> = {
    probe: { healthy: 0, unhealthy: 0 },
    ejection: { healthy: 0, unhealthy: 0 },
  }
  /** When {@link healthy} changed last, Unix time in milliseconds; undefined: it never did. */
  changedAt: number | undefined
  #weight: number
  #priority: number
  /** What probes say. Undefined until one answered; endpoints are innocent until then. */
  #probed: boolean | undefined
  #probeReason = 'not probed'
  /** Why it is ejected. */
  #ejectReason = ''
  /** `performance.now()` when it last came back; before that it never was away. */
  #backAt = Number.NEGATIVE_INFINITY
  /** Told when the last attempt is over, once it is retired. */
  #idle: (() => void) | undefined
  readonly #closers = new Set<() => void>()
  #http: HttpConnections | undefined

  constructor(target: Target, connections: ConnectionOptions, circuit?: Breaker) {
    this.url = new URL(target.url).origin
    this.#weight = target.weight
    this.#priority = target.priority
    this.effectiveWeight = target.weight
    this.connections = connections
    this.circuit = circuit
  }

  get weight(): number {
    return this.#weight
  }

  get priority(): number {
    return this.#priority
  }

  /** Takes another share from now on; all else stays. */
  use({ weight, priority }: Pick<Target, 'weight' | 'priority'>): void {
    this.#weight = weight
    this.#priority = priority
    this.effectiveWeight = weight
  }

  /** It is new among others that serve already: it starts slowly. */
  joined(): void {
    this.#backAt = performance.now()
  }

  /** Whether probes have decided. */
  get decided(): boolean {
    return this.#probed !== undefined
  }

  /** Whether it may be chosen; undefined: nothing is known against it, nor for it. */
  get healthy(): boolean | undefined {
    return this.ejected ? false : this.#probed
  }

  /** Why it is as it is, for `/health` and the log. */
  get healthReason(): string {
    return this.ejected
      ? this.#ejectReason
      : this.#probed === false
        ? this.#probeReason
        : this.failing || this.#probeReason
  }

  /** What probes found; true when that is news. */
  probed(healthy: boolean, reason: string): boolean {
    const changed = this.#probed !== healthy
    if (this.#probed === false && healthy) this.#backAt = performance.now()
    this.#probed = healthy
    this.#probeReason = reason
    if (changed) this.#count('probe', healthy)
    return changed
  }

  /** Leaves it out. */
  eject(reason: string): void {
    this.ejected = true
    this.failing = ''
    this.#ejectReason = reason
    this.#count('ejection', false)
  }

  /** Takes it in again. */
  readmit(): void {
    this.ejected = false
    this.#backAt = performance.now()
    this.#count('ejection', true)
  }

  /** Sets {@link effectiveWeight} by how long it has been back. */
  warm(now: number, windowMs: number): void {
    this.effectiveWeight = this.weight * slowStartFactor(now - this.#backAt, windowMs)
  }

  /** The connections of all but gRPC, made on first use. */
  get http(): HttpConnections {
    this.#http ??= new HttpConnections(this.url, this.connections, this.names)
    return this.#http
  }

  /** Those of them that are kept. */
  get pool(): Pool {
    return this.http.pool
  }

  available(now: number): boolean {
    return !this.ejected && this.#probed !== false && this.admits(now)
  }

  admits(now: number): boolean {
    return this.circuit === undefined || this.circuit.admits(now)
  }

  /** Counts an attempt, in the turn in which the endpoint was picked. Returns its pass for {@link circuit}; 0 when there is none. */
  begin(): number {
    this.active++
    return this.circuit === undefined ? 0 : this.circuit.enter(performance.now())
  }

  end(): void {
    if (--this.active === 0) this.#idle?.()
  }

  /** Has `close` called when the endpoint closes; returns what takes that back. For connections that others hold to it. */
  onClose(close: () => void): () => void {
    this.#closers.add(close)
    return () => void this.#closers.delete(close)
  }

  /** For one that gets no new attempts: closes it when the last that is on it is over. */
  async retire(): Promise<void> {
    if (this.active > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve
      })
    }
    await this.close()
  }

  async close(): Promise<void> {
    for (const close of this.#closers) close()
    this.#closers.clear()
    await this.#http?.close()
  }

  #count(cause: HealthCause, healthy: boolean): void {
    this.changes[cause][healthy ? 'healthy' : 'unhealthy']++
    this.changedAt = Date.now()
  }
}

/** Who decides that a target is out, or in again. */
export type HealthCause = 'probe' | 'ejection'

interface HealthCounts {
  healthy: number
  unhealthy: number
}
