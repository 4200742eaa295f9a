import type { IncomingHttpHeaders } from 'node:http'
import { constants, type ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { Writable } from 'node:stream'

// Node has such a pair of its own, for servers that were written for HTTP/1.1: more streams and listeners, a third more time per request.

/** What both have of their stream: its events are theirs. */
class OfStream {
  readonly stream: ServerHttp2Stream

  constructor(stream: ServerHttp2Stream) {
    this.stream = stream
  }

  // biome-ignore lint/suspicious/noExplicitAny: listeners of every event.
  on(event: string, listener: (...args: any[]) => void): this {
    this.stream.on(event, listener)
    return this
  }

  // biome-ignore lint/suspicious/noExplicitAny: listeners of every event.
  once(event: string, listener: (...args: any[]) => void): this {
    this.stream.once(event, listener)
    return this
  }

  // biome-ignore lint/suspicious/noExplicitAny: listeners of every event.
  off(event: string, listener: (...args: any[]) => void): this {
    this.stream.off(event, listener)
    return this
  }

  // biome-ignore lint/suspicious/noExplicitAny: listeners of every event.
  removeListener(event: string, listener: (...args: any[]) => void): this {
    return this.off(event, listener)
  }

  removeAllListeners(event: string): this {
    this.stream.removeAllListeners(event)
    return this
  }

  emit(event: string, ...args: readonly unknown[]): boolean {
    return this.stream.emit(event, ...args)
  }

  get destroyed(): boolean {
    return this.stream.destroyed
  }
}

/**
 * A request of HTTP/2 in the shape of one of HTTP/1.1, as far as the gateway looks at it: no pseudo-headers, `:authority` as Host, the
 * crumbs of a cookie joined.
 */
export class Http2Request extends OfStream {
  readonly httpVersion = '2.0'
  readonly httpVersionMajor = 2
  readonly httpVersionMinor = 0
  readonly method: string | undefined
  readonly url: string
  readonly rawHeaders: string[]
  readonly headers: IncomingHttpHeaders
  readonly socket: Socket

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, raw: readonly string[]) {
    super(stream)
    this.method = headers[':method'] as string | undefined
    this.url = (headers[':path'] as string | undefined) ?? ''
    this.rawHeaders = plainRaw(raw)
    this.headers = plainHeaders(headers)
    this.socket = stream.session?.socket as Socket
    // Its end is there already, and has to be seen for the stream to end.
    if (stream.endAfterHeaders) stream.resume()
  }

  /** Whether nothing more is going to come. */
  get complete(): boolean {
    const { stream } = this
    return stream.endAfterHeaders || stream.readableEnded || stream.aborted || stream.destroyed
  }

  get readableEnded(): boolean {
    return this.stream.readableEnded
  }

  get readableLength(): number {
    return this.stream.readableLength
  }

  get readableHighWaterMark(): number {
    return this.stream.readableHighWaterMark
  }

  pause(): this {
    this.stream.pause()
    return this
  }

  resume(): this {
    this.stream.resume()
    return this
  }

  pipe<T extends Writable>(to: T): T {
    return this.stream.pipe(to)
  }

  iterator(options: { readonly destroyOnReturn?: boolean }): AsyncIterator<unknown> {
    return this.stream.iterator(options)
  }
}

/** An answer of HTTP/2 that takes what the gateway gives to one of HTTP/1.1. */
export class Http2Response extends OfStream {
  readonly req: Http2Request
  #ended = false
  #trailers: Record<string, string | readonly string[]> | undefined

  constructor(req: Http2Request) {
    super(req.stream)
    this.req = req
    // What is written after the client left fails with an event.
    req.stream.on('error', ignore)
  }

  get headersSent(): boolean {
    return this.stream.headersSent
  }

  /** Whether {@link Http2Response.end} was called. */
  get writableEnded(): boolean {
    return this.#ended
  }

  /** A stream that its client resets is ended, too. */
  get writableFinished(): boolean {
    return this.stream.writableFinished && !this.stream.aborted
  }

  get writableNeedDrain(): boolean {
    return this.stream.writableNeedDrain
  }

  /** `headers` is flat; what describes a connection is left out (RFC 9113 section 8.2.2). */
  writeHead(status: number, headers: readonly string[] = []): this {
    const { stream } = this
    if (stream.destroyed || stream.closed) return this
    const sent = [':status', String(status)]
    for (let i = 0; i < headers.length; i += 2) {
      const name = (headers[i] as string).toLowerCase()
      if (!ofTheConnection.has(name)) sent.push(name, headers[i + 1] as string)
    }
    stream.once('wantTrailers', () => stream.sendTrailers((this.#trailers ?? {}) as Record<string, string>))
    stream.respond(sent as unknown as IncomingHttpHeaders, { waitForTrailers: true })
    return this
  }

  /** Heads are not kept back. */
  flushHeaders(): void {}

  /** Goes behind the body. */
  addTrailers(trailers: Record<string, string | readonly string[]>): void {
    this.#trailers = trailers
  }

  writeContinue(): void {
    if (!this.stream.destroyed && !this.stream.headersSent) this.stream.additionalHeaders({ ':status': 100 })
  }

  write(chunk: Buffer | string, encoding?: BufferEncoding): boolean {
    if (this.stream.destroyed || this.stream.writableEnded) return false
    return this.stream.write(chunk, encoding ?? 'utf8')
  }

  end(chunk?: Buffer | string | null, encoding?: BufferEncoding): this {
    if (this.#ended) return this
    this.#ended = true
    const { stream } = this
    if (stream.destroyed) return this
    const { complete } = this.req
    const headOnly = stream.writableEnded
    if (!headOnly) stream.end(chunk ?? undefined, encoding ?? 'utf8')
    if (complete) return this
    // Whoever answers before the body is there does not want the rest of it (RFC 9113 section 8.1); trailers go first.
    const giveBack = (): void => void setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR))
    if (stream.writableFinished) giveBack()
    else stream.once(headOnly ? 'finish' : 'wantTrailers', giveBack)
    return this
  }

  /** Breaks the answer off so that the client sees it. */
  destroy(): this {
    if (!this.stream.closed) this.stream.close(constants.NGHTTP2_INTERNAL_ERROR)
    return this
  }
}

function ignore(): void {}

function plainRaw(raw: readonly string[]): string[] {
  const plain: string[] = []
  let host: string | undefined
  let cookie = ''
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string
    const value = raw[i + 1] as string
    if (name === ':authority') host = value
    else if (name === 'cookie') cookie += cookie === '' ? value : `; ${value}`
    else if (!name.startsWith(':')) plain.push(name, value)
  }
  // One that says the same is left out; another one stands twice, and is refused like that.
  const sent = plain.indexOf('host')
  if (host !== undefined && (sent === -1 || plain[sent + 1] !== host)) plain.unshift('host', host)
  if (cookie !== '') plain.push('cookie', cookie)
  return plain
}

function plainHeaders(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const plain: IncomingHttpHeaders = {}
  for (const name of Object.keys(headers)) if (!name.startsWith(':')) plain[name] = headers[name]
  const authority = headers[':authority']
  if (authority !== undefined) plain.host = String(authority)
  return plain
}

const ofTheConnection = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])
