import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { GatewayError, toGatewayError } from './error.ts'
import { Exchange, type Hooks, type ReplyHead, type RequestHead } from './exchange.ts'
import type { Row } from './route.ts'

/** An exchange with its sockets: the view that front-ends have. */
export class HttpExchange extends Exchange {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly row: Row
  /** The raw path segments, still percent-encoded: what variables of the template are cut from. */
  readonly segments: readonly string[]
  /** Whether the request has a body (Content-Length above 0, or chunked). */
  readonly hasBody: boolean
  /** The declared Content-Length; undefined when chunked or without a body. */
  readonly contentLength: number | undefined
  /** The connection of a request that asks for an upgrade (WebSocket). */
  readonly upgrade: UpgradeSocket | undefined
  #expectsContinue: boolean
  #settled = false
  #tookOver = false
  #onSettled: (() => void) | undefined

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
    this.res.on('close', () => this.#closed())
  }

  /** Told by the front-end that it took the connection over: the exchange lasts until the connection ends. */
  upgraded(status: number): void {
    this.status = status
    this.#tookOver = true
    const { upgrade } = this
    if (upgrade === undefined) return
    this.res.detachSocket(upgrade.socket as Socket)
    upgrade.socket.once('close', () => this.#closed())
  }

  override get committed(): boolean {
    return this.res.headersSent
  }

  /** Writes the head of the answer: `headers` (flat) first, then what plugins have for every answer. */
  writeHead(status: number, headers: string[]): void {
    this.status = status
    for (let i = 0; i < this.replyHeaders.length; i++) headers.push(this.replyHeaders[i] as string)
    const { onReply } = this.hooks
    if (onReply.length > 0) {
      const reply: ReplyHead = { status, headers }
      for (let i = 0; i < onReply.length; i++) onReply[i]?.(this, reply)
    }
    this.res.writeHead(status, headers)
  }

  /** Writes a piece of the answer; false when the client reads slower than we write (wait for `drain` on `res`). */
  write(chunk: Buffer | string): boolean {
    this.responseBytes += Buffer.byteLength(chunk)
    return this.res.write(chunk)
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
    this.res.end(body)
  }

  /** Tells a client that waits (`Expect: 100-continue`) to send its body. Call it before the body is read. */
  acceptBody(): void {
    if (!this.#expectsContinue) return
    this.#expectsContinue = false
    this.res.writeContinue()
  }

  /**
   * Ends a refused or failed exchange: in the front-end's own words while nothing was sent, else by a visibly aborted message.
   * A connection whose request body was not read to its end is closed after the answer.
   */
  fail(thrown: unknown): void {
    const error = toGatewayError(thrown)
    if (this.error === undefined) this.error = error
    if (this.gone || this.res.destroyed) return
    if (this.committed) {
      this.res.destroy()
      return
    }
    if (this.hasBody && !this.req.complete) {
      this.replyHeaders.push('Connection', 'close')
      this.req.resume()
    }
    this.row.frontEnd.refuse(this, error)
  }

  /** Calls `listener` after the `onSettled` hooks; the listener of this exchange uses it to count. */
  afterSettled(listener: () => void): void {
    this.#onSettled = listener
  }

  #closed(): void {
    if (this.#settled) return
    this.#settled = true
    if (!this.res.writableFinished && !this.#tookOver) {
      if (this.error === undefined) this.error = new GatewayError('CLIENT_GONE', 'The client closed the connection.')
      if (this.status === 0) this.status = 499
      this.markGone()
    }
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
  readonly upgrade: UpgradeSocket | undefined
}

/** The raw connection of an upgrade request, with what came after its head. */
export interface UpgradeSocket {
  readonly socket: Duplex
  readonly head: Buffer
}
