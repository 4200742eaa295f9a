import { buildConnector, Pool } from 'undici'
import type { Balanced } from './balancing/balancer.ts'
import { PeakEwma } from './balancing/peak-ewma.ts'
import { slowStartFactor } from './balancing/slow-start.ts'
import type { Selectable } from './balancing/usable.ts'
import type { Breaker } from './breaker.ts'
import { tlsConnectOptions, type UpstreamTls } from './upstream-tls.ts'

/** What one target of an upstream is: where it listens and how much of the traffic it takes. */
export interface TargetOptions {
  /** `http://host:port` or `https://host:port`; a path is not allowed. For gRPC the scheme tells cleartext from TLS. */
  readonly url: string
  /** Share of the traffic relative to the other targets; 0 takes nothing new. */
  readonly weight: number
  /** Targets of the lowest number serve, those of the next stand by. */
  readonly priority: number
}

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
  readonly host: string
  readonly weight: number
  readonly priority: number
  readonly connections: ConnectionOptions
  readonly latency = new PeakEwma()
  /** Undefined: it has none of its own. */
  readonly circuit: Breaker | undefined
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
  #pool: Pool | undefined

  constructor(target: TargetOptions, connections: ConnectionOptions, circuit?: Breaker) {
    const parsed = new URL(target.url)
    this.url = parsed.origin
    this.host = parsed.host
    this.weight = target.weight
    this.priority = target.priority
    this.effectiveWeight = target.weight
    this.connections = connections
    this.circuit = circuit
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

  /** The HTTP/1.1 connections, made on first use. */
  get pool(): Pool {
    this.#pool ??= new Pool(this.url, {
      connections: this.connections.maxConnections,
      connect: connectorOf(this.url, this.connections),
      keepAliveTimeout: this.connections.idleTimeoutMs,
      keepAliveMaxTimeout: this.connections.idleTimeoutMs,
      pipelining: 1,
      allowH2: false,
      // Bodies of any size pass; time limits per request are set on each dispatch.
      maxResponseSize: -1,
    })
    return this.#pool
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
    this.active--
  }

  async close(): Promise<void> {
    await this.#pool?.destroy()
  }
}

/** The name that we ask for is ours to say: undici takes it from the Host header of a request. */
function connectorOf(url: string, { connectTimeoutMs, tls }: ConnectionOptions): buildConnector.connector {
  const secured = tlsConnectOptions(url, tls)
  const { servername } = secured
  const connect = buildConnector({ ...secured, timeout: connectTimeoutMs, allowH2: false })
  return (options, done) => connect(servername === undefined ? options : { ...options, servername }, done)
}
