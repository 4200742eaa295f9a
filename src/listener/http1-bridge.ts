import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { type Duplex, duplexPair } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { Fallback } from './listener.ts'

/**
 * Serves requests of HTTP/2 by a handler that takes those of HTTP/1.1 only: Express puts prototypes of its own in place of a request's,
 * which one of HTTP/2 does not survive. The two talk HTTP/1.1 in memory; what is rare and small comes this way.
 */
export class Http1Bridge {
  readonly #server: Server

  constructor(handle: Fallback) {
    // Whatever is refused on the wire was refused before it came here.
    this.#server = createServer(
      { requireHostHeader: false, maxHeaderSize: 1_048_576, requestTimeout: 0 },
      handle,
    )
    this.#server.maxHeadersCount = 0
  }

  /** Serves one request. */
  serve(req: IncomingMessage, res: ServerResponse): void {
    const [near, far] = duplexPair()
    addAddress(far, req)
    this.#server.emit('connection', far)
    const onward = request({
      createConnection: () => near,
      method: req.method,
      path: req.url,
      headers: requestHeaders(req) as unknown as string[],
      setHost: false,
    })
    onward.on('response', (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
      answer.on('error', () => res.destroy())
      answer.pipe(res)
    })
    onward.on('error', () => {
      if (!res.writableEnded) res.destroy()
    })
    res.on('close', () => onward.destroy())
    if (req.headers.expect !== undefined) res.writeContinue()
    if (req.complete) onward.end()
    else req.pipe(onward)
  }

  /** Ends what is still being served. */
  close(): void {
    this.#server.closeAllConnections()
  }
}

/** The other end of the real connection, which logs and limits ask for. */
function addAddress(socket: Duplex, { socket: real }: IncomingMessage): void {
  const { remoteAddress, remotePort, encrypted } = real as TLSSocket
  Object.assign(socket, { remoteAddress, remotePort, encrypted })
}

/** Flat. Only Connection tells that there is no second request, and only a length or chunks that there is a body. */
function requestHeaders({ rawHeaders, headers, method }: IncomingMessage): string[] {
  const kept: string[] = ['connection', 'close']
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    if (name !== 'te' && name !== 'expect') kept.push(name, rawHeaders[i + 1] as string)
  }
  const bodiless = method === 'GET' || method === 'HEAD'
  if (headers['content-length'] === undefined && !bodiless) kept.push('transfer-encoding', 'chunked')
  return kept
}
