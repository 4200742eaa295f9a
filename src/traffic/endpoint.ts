import type { Pool } from 'undici'
import type { Balanced } from './balancing/balancer.ts'
import { PeakEwma } from './balancing/peak-ewma.ts'
import { slowStartFactor } from './balancing/slow-start.ts'
import type { Selectable } from './balancing/usable.ts'
import { type ConnectionOptions, HttpConnections } from './http-connections.ts'
import { NameLookup } from './name-lookup.ts'

/** What one target of an upstream is: where it listens and how much of the traffic it takes. */
export interface TargetOptions {
  /** `http://host:port` or `https://host:port`; a path is not allowed. For gRPC the scheme tells cleartext from TLS. */
  readonly url: string
  /** Share of the traffic relative to the other targets; 0 takes nothing new. */
  readonly weight: number
  /** Targets of the lowest number serve, those of the next stand by. */
  readonly priority: number
}

/** One target of an upstream with its connections and its health; the upstream asks it one question, {@link available}. */
export class Endpoint implements Balanced, Selectable {
  readonly url: string
  readonly host: string
  readonly weight: number
  readonly priority: number
  readonly connections: ConnectionOptions
  readonly names = new NameLookup()
  readonly latency = new PeakEwma()
  /** Less than {@link weight} while it starts slowly. */
  effectiveWeight: number
  /** Attempts that are on it now. */
  active = 0
  /** Whether it is left out for failing calls. */
  ejected = false
  /** What probes say. Undefined until one answered; endpoints are innocent until then. */
  #probed: boolean | undefined
  #probeReason = 'not probed yet'
  /** Why it is ejected. */
  #ejectReason = ''
  /** `performance.now()` when it last came back; before that it never was away. */
  #backAt = Number.NEGATIVE_INFINITY
  #http: HttpConnections | undefined

  constructor(target: TargetOptions, connections: ConnectionOptions) {
    const parsed = new URL(target.url)
    this.url = parsed.origin
    this.host = parsed.host
    this.weight = target.weight
    this.priority = target.priority
    this.effectiveWeight = target.weight
    this.connections = connections
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
    return this.ejected ? this.#ejectReason : this.#probeReason
  }

  /** What probes found; true when that is news. */
  probed(healthy: boolean, reason: string): boolean {
    const changed = this.#probed !== healthy
    if (this.#probed === false && healthy) this.#backAt = performance.now()
    this.#probed = healthy
    this.#probeReason = reason
    return changed
  }

  /** Leaves it out. */
  eject(reason: string): void {
    this.ejected = true
    this.#ejectReason = reason
  }

  /** Takes it in again. */
  readmit(): void {
    this.ejected = false
    this.#backAt = performance.now()
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

  available(): boolean {
    return !this.ejected && this.#probed !== false
  }

  begin(): void {
    this.active++
  }

  end(): void {
    this.active--
  }

  async close(): Promise<void> {
    await this.#http?.close()
  }
}
