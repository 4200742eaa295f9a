import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { GatewayError } from '../core/error.ts'
import { refuseOnSocket } from './client-error.ts'
import type { ConnectionDoor } from './connection-door.ts'
import { Http1Bridge } from './http1-bridge.ts'
import { isHttp2Preface, takeOver } from './http2-handover.ts'
import { SessionServer } from './http2-server.ts'
import type { Fallback, Listener } from './listener.ts'
import { parserRefusal } from './parser-refusal.ts'
import { watchSlowClients } from './slow-clients.ts'
import type { TlsIdentities } from './tls-identities.ts'
import { TlsServer, type TlsServerOptions } from './tls-server.ts'

/** Limits of the HTTP server; durations in milliseconds. */
export interface ServerLimits {
  readonly headerBytes: number
  readonly headerCount: number
  readonly urlBytes: number
  readonly headersTimeoutMs: number
  readonly bodyTimeoutMs: number
  readonly keepAliveTimeoutMs: number
  readonly connections: number
}

export interface GatewayServerOptions {
  readonly listener: Listener
  readonly fallback: Fallback
  readonly limits: ServerLimits
  /** Stands before both ports. */
  readonly door: ConnectionDoor
  /** The port for clients that speak TLS; absent: none. */
  readonly tls?: Pick<TlsServerOptions, 'clientAuth' | 'onFailed'> | undefined
  /** Told of each request that was refused before it could be read. */
  onRefused(error: GatewayError): void
}

/**
 * The server of the gateway: Node's own for HTTP/1.1, made strict, with its events led to the listener. A connection that its parser
 * finds to be HTTP/2 goes to the {@link SessionServer}. What comes by TLS goes to the same two.
 */
export class GatewayServer {
  readonly #server: Server
  readonly #listener: Listener
  readonly #sessions: SessionServer
  readonly #bridge: Http1Bridge
  readonly #tls: TlsServer | undefined
  readonly #door: ConnectionDoor
  readonly #stopWatching: () => void

  constructor(options: GatewayServerOptions) {
    const { listener, fallback, limits, tls, door } = options
    this.#door = door
    this.#listener = listener
    const server = createServer({
      // Room above our own limit, so that what passes it is refused by us, in our words.
      maxHeaderSize: limits.headerBytes + limits.urlBytes + 8_192,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: 0,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: 1_000,
      // A request without a body needs no stream to be read to its end.
      optimizeEmptyRequests: true,
      requireHostHeader: false,
      insecureHTTPParser: false,
      noDelay: true,
      // Anything but a WebSocket goes on as a plain request (RFC 9110 section 7.8: a server may ignore Upgrade).
      shouldUpgradeCallback: (req) => req.headers.upgrade?.toLowerCase() === 'websocket',
    })
    server.maxHeadersCount = 0
    server.maxConnections = limits.connections
    const handle = (req: IncomingMessage, res: ServerResponse): void => listener.handle(req, res, fallback)
    server.on('request', handle)
    server.on('checkContinue', handle)
    server.on('checkExpectation', handle)
    server.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.upgrade(req, socket, head),
    )
    server.on('connect', (_req: IncomingMessage, socket: Duplex) => {
      const error = new GatewayError('METHOD_NOT_ALLOWED', 'CONNECT is not allowed.', {
        headers: ['Allow', ''],
      })
      options.onRefused(error)
      refuseOnSocket(socket, error)
    })
    // Node tells of an unreadable connection again with each piece that arrives on it.
    const refused = new WeakSet<Duplex>()
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
      if (refused.has(socket)) return
      refused.add(socket)
      if (isHttp2Preface(error, socket as Socket)) {
        takeOver(socket as Socket, error)
        this.#sessions.accept(socket as Socket)
        return
      }
      const refusal = parserRefusal(error, limits)
      if (refusal === undefined) {
        socket.destroy()
        return
      }
      options.onRefused(refusal)
      refuseOnSocket(socket, refusal)
    })
    const begin = door.guard(server)
    this.#server = server
    this.#bridge = new Http1Bridge(fallback)
    this.#sessions = new SessionServer({
      limits,
      handle: (req, res) => listener.handle(req, res, (request, answer) => this.#fallBack(request, answer)),
      onRefused: options.onRefused,
    })
    this.#tls =
      tls &&
      new TlsServer({
        ...tls,
        door,
        handshakeTimeoutMs: limits.headersTimeoutMs,
        maxConnections: limits.connections,
        onConnection: (socket, protocol) => {
          if (protocol === 'h2') this.#sessions.accept(socket)
          else begin(socket)
        },
        onRefused: options.onRefused,
      })
    this.#stopWatching = watchSlowClients(listener.active, limits.bodyTimeoutMs)
  }

  /** What no row takes of HTTP/2. Behind Express nobody speaks gRPC: its clients are to hear of it in their own words. */
  #fallBack(req: IncomingMessage, res: ServerResponse): void {
    if (req.headers['content-type']?.startsWith('application/grpc')) this.#listener.notFound(req, res)
    else this.#bridge.serve(req, res)
  }

  /** Open client connections, on both ports. */
  connections(): Promise<number> {
    const secure = this.#tls?.connections ?? 0
    return new Promise((resolve) =>
      this.#server.getConnections((_error, count) => resolve((count ?? 0) + secure)),
    )
  }

  /** Handles an upgrade request: the same way as any other, with an answer that is written to the raw connection. */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    const res = new ServerResponse(req)
    res.shouldKeepAlive = false
    res.assignSocket(socket as Socket)
    res.on('finish', () => (socket as Socket).destroySoon())
    // Node's server has let go of the connection, and with it of telling its answer when there is room again.
    socket.on('drain', () => res.emit('drain'))
    socket.on('error', () => socket.destroy())
    this.#listener.handle(req, res, (request, response) => this.#listener.notFound(request, response), {
      socket,
      head,
    })
  }

  /** Resolves with the address once it listens; rejects when the port is taken. */
  listen(host: string, port: number): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, host, () => {
        this.#server.removeListener('error', reject)
        resolve(this.#server.address() as AddressInfo)
      })
    })
  }

  /** The same for clients that speak TLS. When the port is taken, the other one is let go. */
  async listenTls(host: string, port: number): Promise<AddressInfo> {
    try {
      if (this.#tls === undefined) throw new Error('there is no port for TLS')
      return await this.#tls.listen(host, port)
    } catch (error) {
      this.#server.close()
      throw error
    }
  }

  /** Who the gateway is to clients that connect with TLS from now on; called before it listens to them. */
  useIdentities(identities: TlsIdentities): void {
    this.#tls?.use(identities)
  }

  /** Tells clients of HTTP/2 that their connections are going to end; those of HTTP/1.1 are told by their answers. */
  drain(): void {
    this.#sessions.drain()
  }

  /** Takes no new connections, lets requests in flight finish for `gracePeriodMs`, then ends what is left. */
  async close(gracePeriodMs: number): Promise<void> {
    const closed = Promise.all([
      new Promise<void>((resolve) => this.#server.close(() => resolve())),
      this.#tls?.close(),
    ])
    this.#server.closeIdleConnections()
    this.#door.close()
    this.#sessions.close()
    const timer = setTimeout(() => {
      for (const x of this.#listener.active.all()) x.res.destroy()
      this.#sessions.destroy()
      this.#server.closeAllConnections()
      this.#tls?.destroy()
    }, gracePeriodMs)
    await closed
    clearTimeout(timer)
  }

  /** Frees what is not bound to the port. */
  dispose(): void {
    this.#stopWatching()
    this.#bridge.close()
  }
}
