import { buildConnector, Pool } from 'undici'
import { tlsConnectOptions, type UpstreamTls } from './upstream-tls.ts'

/** What one target of an upstream is: where it listens and how much of the traffic it takes. */
export interface TargetOptions {
  /** `http://host:port` or `https://host:port`; a path is not allowed. For gRPC the scheme tells cleartext from TLS. */
  readonly url: string
  /** Share of the traffic relative to the other targets; 0 takes none. Default 100. */
  readonly weight: number
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

/** One target of an upstream with its connections and its health; the balancer asks it one question, {@link available}. */
export class Endpoint {
  readonly url: string
  readonly host: string
  readonly weight: number
  readonly connections: ConnectionOptions
  /** Attempts that are on it now. */
  active = 0
  /** Undefined until the first probe answered; endpoints are innocent until then. */
  healthy: boolean | undefined
  /** Why it is as it is, for `/health` and the log. */
  healthReason = 'not probed yet'
  #pool: Pool | undefined

  constructor(target: TargetOptions, connections: ConnectionOptions) {
    const parsed = new URL(target.url)
    this.url = parsed.origin
    this.host = parsed.host
    this.weight = target.weight
    this.connections = connections
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

  available(): boolean {
    return this.weight > 0 && this.healthy !== false
  }

  begin(): void {
    this.active++
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
