import type { IncomingHttpHeaders } from 'node:http'
import { constants, Http2ServerRequest, Http2ServerResponse, type ServerHttp2Stream } from 'node:http2'
import type { ReadableOptions } from 'node:stream'

/** A request of HTTP/2 in the shape of one of HTTP/1.1: no pseudo-headers, `:authority` as Host, the crumbs of a cookie joined. */
export class Http2Request extends Http2ServerRequest {
  override readonly rawHeaders: string[]
  override readonly headers: IncomingHttpHeaders

  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    options: ReadableOptions,
    raw: readonly string[],
  ) {
    super(stream, headers, options, raw)
    this.rawHeaders = plainRaw(raw)
    this.headers = plainHeaders(headers)
  }
}

/** An answer of HTTP/2 that takes what one of HTTP/1.1 takes. */
export class Http2Response extends Http2ServerResponse<Http2Request> {
  /** `headers` is flat, and replaces what was set before; what describes a connection is left out (RFC 9113 section 8.2.2). */
  override writeHead(status: number, ...rest: readonly unknown[]): this {
    const headers = rest.at(-1)
    if (!Array.isArray(headers)) return super.writeHead(status)
    for (const name of this.getHeaderNames()) this.removeHeader(name)
    const kept: string[] = []
    for (let i = 0; i < headers.length; i += 2) {
      if (!ofTheConnection.has(String(headers[i]).toLowerCase())) kept.push(headers[i], headers[i + 1])
    }
    return super.writeHead(status, kept as unknown as IncomingHttpHeaders)
  }

  override end(...args: readonly unknown[]): this {
    const { stream } = this
    const headOnly =
      stream.writableEnded || (!this.headersSent && (args[0] === undefined || args[0] === null))
    super.end(...(args as []))
    if (this.req.complete || stream.endAfterHeaders) return this
    // Whoever answers before the body is there does not want the rest of it (RFC 9113 section 8.1); trailers go first.
    const giveBack = (): void => void setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR))
    if (stream.writableFinished) giveBack()
    else stream.once(headOnly ? 'finish' : 'wantTrailers', giveBack)
    return this
  }

  /** Breaks the answer off so that the client sees it. */
  override destroy(): this {
    if (!this.stream.closed) this.stream.close(constants.NGHTTP2_INTERNAL_ERROR)
    return this
  }
}

// Declared for every answer, and missing or not true in Node's class of them: a stream that its client resets is ended, too.
Object.defineProperties(Http2Response.prototype, {
  destroyed: {
    get(this: Http2Response) {
      return this.stream.destroyed
    },
  },
  writableFinished: {
    get(this: Http2Response) {
      return this.stream.writableFinished && !this.stream.aborted
    },
  },
  writableNeedDrain: {
    get(this: Http2Response) {
      return this.stream.writableNeedDrain
    },
  },
})

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
