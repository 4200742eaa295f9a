import type { Duplex } from 'node:stream'
import type { CallRecord } from './call-record.ts'
import type { GatewayError } from './error.ts'
import type { ClientCertificate, Principal } from './principal.ts'
import { uuidV7 } from './random-id.ts'
import type { Route } from './route.ts'
import { readTraceContext, type TraceContext } from './trace-context.ts'

/** The head of a client request, whatever protocol it speaks. */
export interface RequestHead {
  readonly method: string
  /** The canonical path: what is routed, authorised, logged and forwarded. */
  readonly path: string
  /** The query without its question mark; `''` when there is none. */
  readonly query: string
  /** Host and port as the client named them; `''` for HTTP/1.0 without Host. */
  readonly host: string
  readonly scheme: 'http' | 'https'
  /** What the client proved to own when it connected with TLS; undefined: nothing was asked for, or shown. */
  readonly clientCertificate?: ClientCertificate | undefined
  /** Lower-case names; repeated headers joined as `node:http` does. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** The address at the other end of the connection. */
  readonly peerAddress: string
  /** Whether the peer is a trusted proxy, so that its forwarding headers are believed. */
  readonly peerTrusted: boolean
  /** The client's address: the peer, or the nearest hop that no trusted proxy vouches for. */
  readonly clientAddress: string
  /** Unix time in milliseconds. */
  readonly receivedAt: number
  /** `performance.now()` at reception, for durations. */
  readonly startedAt: number
}

/** The part of a call that plugins see and may add headers to. */
export interface UpstreamCall {
  readonly upstreamName: string
  /** The value among the headers that names the span of an attempt (W3C Trace Context); `''`: there is none. Made anew for each attempt. */
  traceparent: string
  /** Headers (gRPC: metadata) that go to the upstream, flat: name, value, name, value. */
  readonly headers: string[]
}

/** The head of an answer before it is written; `onReply` hooks may add to the headers. */
export interface ReplyHead {
  readonly status: number
  /** Flat: name, value, name, value. */
  readonly headers: string[]
  /** Set by a hook that has put `Content-Encoding` among the headers: what the body goes through on its way. */
  coding?: ContentCoding
}

/** A content coding at work on one body. Whoever sets it on a reply gives it away: it is ended or destroyed with the answer. */
export interface ContentCoding {
  readonly stream: Duplex
  /** Brings out what went in so far, for a body whose pieces may be long in coming; absent: at the end is early enough. */
  readonly flush?: () => void
}

/** The moments of an exchange: flat arrays, built when configuration loads, walked by every request. */
export interface Hooks {
  /** In order, before the front-end serves. Throw a GatewayError to refuse; answering the exchange ends the walk. */
  readonly onRequest: readonly ((x: Exchange) => void | Promise<void>)[]
  /** Whose the hooks of {@link onRequest} are, by position: `jwt`, `rateLimit`. */
  readonly names: readonly string[]
  /** Before each call to an upstream leaves; may add headers. */
  readonly onCall: readonly ((x: Exchange, call: UpstreamCall) => void)[]
  /** Before a call, or its copy, goes to another upstream than `onCall` saw. What was meant for one must not reach the other. */
  readonly onTurn: readonly ((x: Exchange, call: UpstreamCall) => void)[]
  /** Before the head of the answer is written, refusals included. */
  readonly onReply: readonly ((x: Exchange, reply: ReplyHead) => void)[]
  /** Exactly once, last, also for refused and aborted requests. Must not throw. */
  readonly onSettled: readonly ((x: Exchange) => void)[]
}

/** A typed key for a value that one plugin leaves on the exchange for itself or others. */
export class Slot<T> {
  readonly name: string
  /** Never set; it ties the type to the key. */
  declare readonly type: T
  constructor(name: string) {
    this.name = name
  }
}

/** One client request and its answer: all that a plugin sees. Knows nothing of sockets or frameworks. */
export abstract class Exchange {
  readonly request: RequestHead
  readonly route: Route
  readonly hooks: Hooks
  principal: Principal | undefined
  /** Headers for the answer whatever it will be, flat: name, value, name, value. */
  readonly replyHeaders: string[] = []
  /** What the client was answered with, or 0 while nothing was sent; 499 when it went before. */
  status = 0
  /** Why the exchange was refused or failed. */
  error: GatewayError | undefined
  readonly calls: CallRecord[] = []
  requestBytes = 0
  responseBytes = 0
  /** Which of the `onRequest` hooks it is at, by position, and stays at when that one refuses or answers; their number: it passed them all; -1: none was asked. */
  step = -1
  /** Whether it goes on for as long as its sides like (a WebSocket, a stream of messages or events): how long it took says nothing of how fast it was. */
  lasting = false
  /** GraphQL operation name and type, gRPC status and the like, in OpenTelemetry names; for log and metrics. */
  readonly attributes: Record<string, string | number> = {}
  #id: string | undefined
  #trace: TraceContext | undefined
  #slots: Map<Slot<unknown>, unknown> | undefined
  #whenGone: ((stopped?: GatewayError) => void)[] | undefined
  #abort: AbortController | undefined
  #gone = false
  #stopped: GatewayError | undefined

  constructor(request: RequestHead, route: Route, hooks: Hooks) {
    this.request = request
    this.route = route
    this.hooks = hooks
  }

  /** The client's `X-Request-Id` when it is well formed (`[A-Za-z0-9._:-]`, at most 128), else a UUIDv7. */
  get id(): string {
    if (this.#id === undefined) {
      const sent = this.request.headers['x-request-id']
      this.#id = typeof sent === 'string' && requestId.test(sent) ? sent : uuidV7(this.request.receivedAt)
    }
    return this.#id
  }

  get trace(): TraceContext {
    if (this.#trace === undefined) {
      this.#trace = readTraceContext(this.header('traceparent'), this.header('tracestate'))
    }
    return this.#trace
  }

  /** The value of a request header (name in lower case), the first one when it was repeated as a list. */
  header(name: string): string | undefined {
    const value = this.request.headers[name]
    return typeof value === 'object' ? value[0] : value
  }

  get<T>(slot: Slot<T>): T | undefined {
    return this.#slots?.get(slot) as T | undefined
  }

  set<T>(slot: Slot<T>, value: T): void {
    this.#slots ??= new Map()
    this.#slots.set(slot, value)
  }

  /** Whether the head of the answer was written, so that nothing can be tried again. */
  abstract get committed(): boolean

  /** A whole answer at once (status, flat headers, body); ends the exchange. For plugins that answer themselves. */
  abstract answer(status: number, headers: string[], body: Buffer | string): void

  /** Whether the request has a body, which may be empty. */
  abstract readonly hasBody: boolean

  /**
   * The whole body of the request, for plugins that judge it before it goes on: exactly these bytes go on. Rejects with BODY_TOO_LARGE above
   * `maxBytes`, with CLIENT_GONE when the client leaves half-way. Not for streams of messages, whose ends may be far off.
   */
  abstract body(maxBytes: number): Promise<Buffer>

  /** Whether the client went away before its answer was complete. */
  get gone(): boolean {
    return this.#gone
  }

  /**
   * Calls `listener` if the client goes away before its answer is complete (at once if it already has), or with the reason if the exchange
   * is stopped before. It may be called twice.
   */
  whenGone(listener: (stopped?: GatewayError) => void): void {
    if (this.#gone) {
      listener()
      return
    }
    this.#whenGone ??= []
    this.#whenGone.push(listener)
  }

  /** Aborts when the client goes away; made on first use. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      const controller = new AbortController()
      this.#abort = controller
      this.whenGone(() => controller.abort())
    }
    return this.#abort.signal
  }

  /** Why it is to end although its client is there; undefined: it goes on. */
  get stopped(): GatewayError | undefined {
    return this.#stopped
  }

  /** Ends it although its client is there: what is under way for it is let go, for this reason. */
  stop(error: GatewayError): void {
    this.#stopped ??= error
    for (const listener of this.#whenGone ?? []) listener(error)
  }

  /** Tells everyone who asked that the client is gone. Called by the side that holds the socket. */
  markGone(): void {
    if (this.#gone) return
    this.#gone = true
    for (const listener of this.#whenGone ?? []) listener()
  }
}

const requestId = /^[A-Za-z0-9._:-]{1,128}$/
