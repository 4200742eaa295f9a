import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { CodedBody } from './coded-body.ts'
import { clientGone, type GatewayError, toGatewayError } from './error.ts'
import { type ContentCoding, Exchange, type Hooks, type ReplyHead, type RequestHead } from './exchange.ts'
import { lingerAtEnd } from './linger.ts'
import { readBody } from './request-body.ts'
import type { Row } from './route.ts'

/** An exchange with its sockets: the view that front-ends have. */
export class HttpExchange extends Exchange {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly row: Row
  /** The raw path segments, still percent-encoded: what variables of the template are cut from. */
  readonly segments: readonly string[]
  /** Whether the request has a body (Content-Length above 0, or chunked). */
  override readonly hasBody: boolean
  /** The declared Content-Length; undefined when chunked or without a body. */
  readonly contentLength: number | undefined
  /** The connection of a request that asks for an upgrade (WebSocket). */
  readonly upgrade: UpgradeSocket | undefined
  /** The whole body, once a plugin has read it. */
  whole: Buffer | undefined
  /** Whether the client may be silent within its body for any time: it talks with the upstream, and may be the one who waits. */
  mayPause = false
  /** Where it stands in the list of exchanges that have not settled; the listener's own. */
  place = 0
  readonly #ending: WeakSet<Duplex> | undefined
  #expectsContinue: boolean
  #isLast = false
  #settled = false
  #tookOver = false
  #onSettled: (() => void) | undefined
  #codedBody: CodedBody | undefined

  constructor(facts: HttpFacts, row: Row, hooks: Hooks) {
    super(facts.request, row, hooks)
    this.req = facts.req
    this.res = facts.res
    this.row = row
    this.segments = facts.segments
    this.hasBody = facts.hasBody
    this.contentLength = facts.contentLength
    this.upgrade = facts.upgrade
    this.#expectsContinue = facts.expectsContinue
    this.#ending = facts.ending
    this.res.on('close', this.#closed)
    // What is written after the client left fails with an event that nobody else listens to.
    this.res.on('error', ignore)
  }

  /**
   * Told by the front-end that it takes the connection over: the exchange lasts until the connection ends. Returns the head to
   * write, flat: `headers` and what plugins have for every answer.
   */
  upgraded(status: number, headers: string[]): string[] {
    this.#completeHead(status, headers)
    this.lasting = true
    this.#tookOver = true
    const { upgrade } = this
    if (upgrade !== undefined) {
      this.res.detachSocket(upgrade.socket as Socket)
      upgrade.socket.once('close', this.#closed)
    }
    return headers
  }

  override get committed(): boolean {
    return this.res.headersSent || this.#tookOver
  }

  override async body(maxBytes: number): Promise<Buffer> {
    this.whole = await readBody(this, maxBytes)
    return this.whole
  }

  /** Writes the head of the answer: `headers` (flat) first, then what plugins have for every answer. */
  writeHead(status: number, headers: string[]): void {
    // Whoever answers before the body is there will not read it to its end: nothing after it can be a request.
    if (this.hasBody && !this.req.complete) this.endConnection()
    const coding = this.#completeHead(status, headers)
    this.res.writeHead(status, headers)
    if (coding !== undefined) this.#codedBody = new CodedBody(this.res, coding)
  }

  /** Whether it came over HTTP/2: it has a stream of its own then, and shares its connection with others. */
  get http2(): boolean {
    return this.req.httpVersionMajor === 2
  }

  /** Makes this answer the last one of its connection; requests that were pipelined behind it are dropped (RFC 9112 section 9.6). Of HTTP/2 only the stream ends. */
  endConnection(): void {
    if (this.#isLast || this.http2) return
    this.#isLast = true
    const { socket } = this.req
    this.replyHeaders.push('Connection', 'close')
    this.#ending?.add(socket)
    lingerAtEnd(socket)
  }

  /** Writes a piece of the answer; false when the client reads slower than we write (wait for `drain` on `res`). */
  write(chunk: Buffer | string): boolean {
    if (this.res.destroyed) return false
    this.responseBytes += Buffer.byteLength(chunk)
    return this.res.write(chunk)
  }

  /** The whole body behind a head that was written: both leave in one piece, as Node joins text with the head. */
  finish(body: Buffer): void {
    this.responseBytes += body.length
    this.res.end(body.toString('latin1'), 'latin1')
  }

  /** A whole answer at once. HEAD gets the head only; 204 and 304 have no body and no length. */
  override answer(status: number, headers: string[], body: Buffer | string): void {
    const bytes = Buffer.byteLength(body)
    const bodiless = status === 204 || status === 304
    if (!bodiless) headers.push('Content-Length', String(bytes))
    this.writeHead(status, headers)
    if (bodiless || this.request.method === 'HEAD') {
      this.res.end()
      return
    }
    this.responseBytes += bytes
    // Text of one byte a character joins the head without being encoded.
    if (typeof body === 'string' && body.length === bytes) this.res.end(body, 'latin1')
    else this.res.end(body)
  }

  /** Tells a client that waits (`Expect: 100-continue`) to send its body. Call it before the body is read. */
  acceptBody(): void {
    if (!this.#expectsContinue) return
    this.#expectsContinue = false
    this.res.writeContinue()
  }

  /**
   * Ends a refused or failed exchange: in the front-end's own words while nothing was sent, else by a visibly aborted message.
   */
  fail(thrown: unknown): void {
    const error = toGatewayError(thrown)
    if (this.error === undefined) this.error = error
    if (this.gone || this.res.destroyed) return
    if (this.committed) {
      // The end of the connection is the end of an answer to HTTP/1.0: only a reset tells that it is not whole.
      if (!this.http2 && this.req.httpVersionMinor === 0) breakOff(this.req.socket)
      this.res.destroy()
      return
    }
    if (this.hasBody && !this.req.complete) this.req.resume()
    this.row.frontEnd.refuse(this, error)
  }

  /** What is not at its end by itself a moment later, in the words of its protocol, is broken off. */
  override stop(error: GatewayError): void {
    if (this.stopped !== undefined) return
    this.error ??= error
    super.stop(error)
    setTimeout(() => {
      if (this.#settled) return
      this.fail(error)
      this.upgrade?.socket.destroy()
    }, stopMs).unref()
  }

  /** Calls `listener` after the `onSettled` hooks; the listener of this exchange uses it to count. */
  afterSettled(listener: () => void): void {
    this.#onSettled = listener
  }

  /** Returns what the body is to be coded with, where a plugin wants that. */
  #completeHead(status: number, headers: string[]): ContentCoding | undefined {
    this.status = status
    for (let i = 0; i < this.replyHeaders.length; i++) headers.push(this.replyHeaders[i] as string)
    const { onReply } = this.hooks
    if (onReply.length === 0) return undefined
    const reply: ReplyHead = { status, headers }
    for (let i = 0; i < onReply.length; i++) onReply[i]?.(this, reply)
    return reply.coding
  }

  readonly #closed = (): void => {
    if (this.#settled) return
    this.#settled = true
    if (!this.res.writableFinished && !this.#tookOver) {
      if (this.error === undefined) this.error = clientGone()
      if (this.status === 0) this.status = 499
    }
    // Also when we refused it half-way: whatever is still under way for it is let go.
    if (this.error !== undefined) this.markGone()
    if (this.#codedBody !== undefined) this.responseBytes = this.#codedBody.bytes
    const { onSettled } = this.hooks
    for (let i = 0; i < onSettled.length; i++) onSettled[i]?.(this)
    this.#onSettled?.()
  }
}

/** What the listener read of a request before it was routed. */
export interface HttpFacts {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly request: RequestHead
  readonly segments: readonly string[]
  readonly hasBody: boolean
  readonly contentLength: number | undefined
  readonly expectsContinue: boolean
  /** Connections that end with an answer that is under way; shared by all exchanges of a listener. */
  readonly ending?: WeakSet<Duplex>
  readonly upgrade: UpgradeSocket | undefined
}

/** How long an exchange that is stopped may take for its last words. */
const stopMs = 250

function ignore(): void {}

/** The raw connection of an upgrade request, with what came after its head. */
export interface UpgradeSocket {
  readonly socket: Duplex
  readonly head: Buffer
}

/** So that the client sees that the end of the connection is not that of the answer; with TLS it misses the `close_notify`. */
function breakOff(socket: Socket): void {
  if ('encrypted' in socket) socket.destroy()
  else socket.resetAndDestroy()
}
