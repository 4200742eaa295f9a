import type { Socket } from 'node:net'
import { buildConnector, Client, type Dispatcher, Pool } from 'undici'
import type { NameLookup } from './name-lookup.ts'
import { tlsConnectOptions, type UpstreamTls } from './upstream-tls.ts'

/** Limits of the connections to one endpoint, in milliseconds. */
export interface ConnectionOptions {
  readonly connectTimeoutMs: number
  /** How long an unused connection is kept; keep it below the backend's own. A shorter `Keep-Alive: timeout` of the backend counts. */
  readonly idleTimeoutMs: number
  /** How long a connection takes requests, so that a change of addresses is noticed; 0: as long as it lives. Default 0. */
  readonly maxAgeMs?: number
  /** Connections at the most. */
  readonly maxConnections: number
  /** Whether calls that may not be made twice have connections of their own. Default false. */
  readonly freshForUnsafe?: boolean
  /** HTTP/2 for REST and subgraphs: by ALPN with TLS, else with prior knowledge. Default false. */
  readonly http2?: boolean
  /** For targets that are `https`. Default: the certificate must be valid for the host, by the authorities that Node knows. */
  readonly tls?: UpstreamTls | undefined
}

/** The HTTP connections to one endpoint: those that are kept, and those that become something else. */
export class HttpConnections {
  readonly #url: string
  readonly #options: ConnectionOptions
  readonly #names: NameLookup
  readonly #connect: buildConnector.connector
  #connectUpgrade: buildConnector.connector | undefined
  #pool: Pool
  /** Connections that are used once. */
  #single: Pool | undefined
  /** `performance.now()` */
  #renewAt: number

  constructor(url: string, options: ConnectionOptions, names: NameLookup) {
    this.#url = url
    this.#options = options
    this.#names = names
    this.#connect = connectorOf(url, options, names)
    this.#pool = this.#newPool()
    this.#renewAt = this.#nextAge()
  }

  /**
   * Kept connections, no pipelining; a request waits when all are taken. One that is of age lets another take its place, and ends when
   * its requests have: undici's own limit would ask the time of every connection for each request.
   */
  get pool(): Pool {
    if (performance.now() < this.#renewAt) return this.#pool
    void this.#pool.close()
    this.#pool = this.#newPool()
    this.#renewAt = this.#nextAge()
    return this.#pool
  }

  /** Where a call goes out: on a kept connection, unless it must not meet one that its backend is about to close. */
  poolFor({ idempotent }: { readonly idempotent: boolean }): Pool {
    if (idempotent || this.#options.freshForUnsafe !== true) return this.pool
    this.#single ??= new Pool(this.#url, {
      ...common(this.#options),
      connections: this.#options.maxConnections,
      connect: this.#connect,
      // undici's word for no keep-alive.
      pipelining: 0,
    })
    return this.#single
  }

  /**
   * Sends a request that asks for an upgrade, on a connection of its own: over HTTP/1.1, whatever the others speak (RFC 9113 section 8.6).
   */
  upgrade(request: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    const options = { ...this.#options, http2: false }
    const client = new Client(this.#url, { ...common(options), connect: this.#upgradeConnector() })
    client.dispatch(request, handler)
    void client.close()
  }

  /** A bare connection, for whoever begins with an upgrade of HTTP/1.1 themselves, and ends it. */
  connect(done: buildConnector.Callback): void {
    const { protocol, host, hostname, port } = new URL(this.#url)
    // Addresses of IPv6 stand in brackets in a URL, and nowhere else.
    const name = hostname.replace(/^\[|\]$/g, '')
    this.#upgradeConnector()({ protocol, hostname: name, port, host }, done)
  }

  /** A connection that is none of {@link pool}, for the caller to end. */
  newClient(): Client {
    return new Client(this.#url, { ...common(this.#options), connect: this.#connect })
  }

  async close(): Promise<void> {
    await Promise.all([this.#pool.destroy(), this.#single?.destroy()])
  }

  #upgradeConnector(): buildConnector.connector {
    this.#connectUpgrade ??= connectorOf(this.#url, { ...this.#options, http2: false }, this.#names)
    return this.#connectUpgrade
  }

  #newPool(): Pool {
    const options = this.#options
    return new Pool(this.#url, {
      ...common(options),
      connections: options.maxConnections,
      connect: this.#connect,
      keepAliveTimeout: options.idleTimeoutMs,
      keepAliveMaxTimeout: options.idleTimeoutMs,
    })
  }

  #nextAge(): number {
    const { maxAgeMs = 0 } = this.#options
    return maxAgeMs === 0 ? Number.POSITIVE_INFINITY : performance.now() + maxAgeMs
  }
}

/**
 * Whether the request that failed so was sent on a connection that other answers had come on before, by `since` (`performance.now()`).
 * An upstream may close such a one just when a request is on its way.
 */
export function wasReused(error: Error, since: number): boolean {
  const broken = brokenSockets.get(error)
  return broken !== undefined && broken.connectedAt < since && broken.socket.bytesRead > 0
}

/** The HTTP client tells of an error, and not where. */
const brokenSockets = new WeakMap<Error, { readonly socket: Socket; readonly connectedAt: number }>()

/** Inferred, because undici's types do not know `useH2c` yet. */
function common({ http2 = false }: ConnectionOptions) {
  return {
    pipelining: 1,
    allowH2: http2,
    useH2c: http2,
    // Bodies of any size pass; time limits per request are set on each dispatch.
    maxResponseSize: -1,
  }
}

/** The name that we ask for is ours to say: undici takes it from the Host header of a request. */
function connectorOf(
  url: string,
  { connectTimeoutMs, http2 = false, tls }: ConnectionOptions,
  { lookup }: NameLookup,
): buildConnector.connector {
  const secured = tlsConnectOptions(url, tls)
  const { servername } = secured
  const settings = {
    ...secured,
    timeout: connectTimeoutMs,
    lookup,
    allowH2: http2,
    useH2c: http2,
    preferH2: http2,
  }
  const connect = buildConnector(settings)
  return (options, done) =>
    connect(servername === undefined ? options : { ...options, servername }, (...result) => {
      const [, socket] = result
      const connectedAt = performance.now()
      socket?.on('error', (error: Error) => brokenSockets.set(error, { socket, connectedAt }))
      done(...result)
    })
}
