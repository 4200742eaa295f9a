import { buildConnector, Client, Pool } from 'undici'
import type { Target } from '../core/target.ts'
import type { Balanced } from './balancing/balancer.ts'
import { PeakEwma } from './balancing/peak-ewma.ts'
import { slowStartFactor } from './balancing/slow-start.ts'
import type { Selectable } from './balancing/usable.ts'
import { tlsConnectOptions, type UpstreamTls } from './upstream-tls.ts'

/** Limits of the connections to one endpoint, in milliseconds. */
export interface ConnectionOptions {
  readonly connectTimeoutMs: number
  /** How long an unused connection is kept; keep it below the backend's own. */
  readonly idleTimeoutMs: number
  /** Connections at the most. */
  readonly maxConnections: number
  /** For targets that are `https`. Default: the certificate must be valid for the host, by the authorities that Node knows. */
  readonly tls?: UpstreamTls | undefined
}

/** One target of an upstream with its connections and its health; the upstream asks it one question, {@link available}. */
export class Endpoint implements Balanced, Selectable {
  readonly url: string
  readonly connections: ConnectionOptions
  readonly latency = new PeakEwma()
  /** Less than {@link weight} while it starts slowly. */
  effectiveWeight: number
  /** Attempts that are on it now. */
  active = 0
  /** Whether it is left out for failing calls. */
  ejected = false
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
  #probeReason = 'not probed yet'
  /** Why it is ejected. */
  #ejectReason = ''
  /** `performance.now()` when it last came back; before that it never was away. */
  #backAt = Number.NEGATIVE_INFINITY
  #pool: Pool | undefined
  /** Told when the last attempt is over, once it is retired. */
  #idle: (() => void) | undefined
  readonly #closers = new Set<() => void>()

  constructor(target: Target, connections: ConnectionOptions) {
    this.url = new URL(target.url).origin
    this.#weight = target.weight
    this.#priority = target.priority
    this.effectiveWeight = target.weight
    this.connections = connections
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
    return this.ejected ? this.#ejectReason : this.#probeReason
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

  /** The HTTP/1.1 connections, made on first use. */
  get pool(): Pool {
    this.#pool ??= new Pool(this.url, {
      ...httpOptions(this.url, this.connections),
      connections: this.connections.maxConnections,
      keepAliveTimeout: this.connections.idleTimeoutMs,
      keepAliveMaxTimeout: this.connections.idleTimeoutMs,
    })
    return this.#pool
  }

  /** A connection that is none of {@link pool}, for the caller to end. */
  newClient(): Client {
    return new Client(this.url, httpOptions(this.url, this.connections))
  }

  available(): boolean {
    return !this.ejected && this.#probed !== false
  }

  begin(): void {
    this.active++
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
    await this.#pool?.destroy()
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

function httpOptions(url: string, connections: ConnectionOptions): Client.Options {
  return {
    connect: connectorOf(url, connections),
    pipelining: 1,
    allowH2: false,
    // Bodies of any size pass; time limits per request are set on each dispatch.
    maxResponseSize: -1,
  }
}

/** The name that we ask for is ours to say: undici takes it from the Host header of a request. */
function connectorOf(url: string, { connectTimeoutMs, tls }: ConnectionOptions): buildConnector.connector {
  const secured = tlsConnectOptions(url, tls)
  const { servername } = secured
  const connect = buildConnector({ ...secured, timeout: connectTimeoutMs, allowH2: false })
  return (options, done) => connect(servername === undefined ? options : { ...options, servername }, done)
}
