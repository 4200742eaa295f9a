import type { IncomingMessage, ServerResponse } from 'node:http'
import { constants, createServer, type Http2Server, type ServerHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import { GatewayError } from '../core/error.ts'
import { Http2Request, Http2Response } from './http2-messages.ts'
import type { ServerLimits } from './server.ts'

export interface Http2ServerOptions {
  readonly limits: ServerLimits
  /** Takes a request, in the shape of one of HTTP/1.1. */
  handle(req: IncomingMessage, res: ServerResponse): void
  /** Told of each connection that broke the protocol. */
  onRefused(error: GatewayError): void
}

/** The sessions of clients that speak HTTP/2 by prior knowledge on the port of HTTP/1.1. Its connections are given to it. */
export class SessionServer {
  readonly #server: Http2Server
  readonly #limits: ServerLimits
  readonly #sessions = new Set<ServerHttp2Session>()
  #draining = false

  constructor({ limits, handle, onRefused }: Http2ServerOptions) {
    this.#limits = limits
    const server = createServer({
      settings: {
        enablePush: false,
        maxConcurrentStreams,
        // Room above our own limits, so that what passes them is refused by us, in our words.
        maxHeaderListSize: limits.headerBytes + limits.urlBytes + 8_192,
      },
      maxHeaderListPairs: limits.headerCount + 32,
      // Against floods: frames that are none, streams above the limit, streams that are reset as fast as they are opened.
      maxSessionInvalidFrames: 100,
      maxSessionRejectedStreams: 100,
      streamResetBurst: 500,
      streamResetRate: 50,
    })
    server.on('stream', (stream, headers, _flags, raw: readonly string[]) => {
      // Its connection ended as it came.
      if (stream.session === undefined) return
      const req = new Http2Request(stream, headers, raw)
      const res = new Http2Response(req)
      // The two have the shape that the gateway uses of them.
      handle(req as unknown as IncomingMessage, res as unknown as ServerResponse)
    })
    server.on('session', (session) => this.#watch(session))
    server.on('sessionError', (cause) => {
      onRefused(new GatewayError('MALFORMED_REQUEST', 'The connection cannot be read as HTTP/2.', { cause }))
    })
    this.#server = server
  }

  /** Takes a connection whose preface is still to be read. */
  accept(socket: Socket): void {
    // A stream may be silent for as long as it likes, but not behind a client that is not there any more.
    socket.setKeepAlive(true, keepAliveProbeMs)
    this.#server.emit('connection', socket)
  }

  /** Tells clients to open no more streams on their connections; those that are on their way are served (RFC 9113 section 6.8). */
  drain(): void {
    this.#draining = true
    for (const session of this.#sessions) announceEnd(session)
  }

  /** Takes no new streams; each connection ends with its last one. */
  close(): void {
    this.#draining = true
    for (const session of this.#sessions) session.close()
  }

  /** Ends all connections now. */
  destroy(): void {
    for (const session of this.#sessions) session.destroy()
  }

  /** Ends a session that has had no stream for too long, whatever else it sends. */
  #watch(session: ServerHttp2Session): void {
    const { headersTimeoutMs, keepAliveTimeoutMs } = this.#limits
    let open = 0
    let timer = endLater(session, headersTimeoutMs)
    this.#sessions.add(session)
    session.setLocalWindowSize(connectionWindowBytes)
    session.on('stream', (stream) => {
      open++
      clearTimeout(timer)
      stream.once('close', () => {
        if (--open === 0 && !session.destroyed) timer = endLater(session, keepAliveTimeoutMs)
      })
    })
    session.once('close', () => {
      clearTimeout(timer)
      this.#sessions.delete(session)
    })
    // Clients take a farewell that comes before their first request for a refusal of it.
    if (this.#draining) session.once('stream', () => announceEnd(session))
  }
}

function endLater(session: ServerHttp2Session, afterMs: number): NodeJS.Timeout {
  return setTimeout(() => {
    session.close()
    // A client that reads nothing does not take the farewell either.
    setTimeout(() => session.destroy(), 1_000).unref()
  }, afterMs).unref()
}

/** Not the end yet: the last stream that is served is the last that there can be. */
function announceEnd(session: ServerHttp2Session): void {
  if (!session.destroyed && !session.closed) session.goaway(constants.NGHTTP2_NO_ERROR, 2 ** 31 - 1)
}

/** What one connection may send that nobody has taken yet: one stream that is not read must not hold up the others. */
const connectionWindowBytes = 1_048_576
/** After so much silence the system asks whether the other end is there. */
const keepAliveProbeMs = 60_000
/** Requests of one connection at a time. */
const maxConcurrentStreams = 100
