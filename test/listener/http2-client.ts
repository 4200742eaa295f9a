import { once } from 'node:events'
import {
  type ClientHttp2Session,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2'
import type { TestContext } from 'node:test'

/** One answer over HTTP/2. */
export interface Http2Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly trailers: IncomingHttpHeaders
  readonly body: Buffer
  /** The code of the RST_STREAM that ended it; 0: none, or NO_ERROR. */
  readonly rstCode: number
}

/** A connection of node:http2 to a gateway, ended with its test. */
export async function connectHttp2(t: TestContext, url: string): Promise<ClientHttp2Session> {
  const session = connect(url)
  session.on('error', () => {})
  t.after(() => session.destroy())
  await once(session, 'connect')
  return session
}

/** One request; resolves when its stream is closed, whether or not that went well. */
export function askHttp2(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  body?: Uint8Array | string,
): Promise<Http2Answer> {
  return new Promise((resolve) => {
    const stream = session.request(headers, { endStream: body === undefined })
    const chunks: Buffer[] = []
    let head: IncomingHttpHeaders = {}
    let trailers: IncomingHttpHeaders = {}
    stream.on('response', (received) => {
      head = received
    })
    stream.on('trailers', (received) => {
      trailers = received
    })
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('error', () => {})
    stream.on('close', () => {
      const status = Number(head[':status'] ?? 0)
      resolve({ status, headers: head, trailers, body: Buffer.concat(chunks), rstCode: stream.rstCode ?? 0 })
    })
    if (body !== undefined) stream.end(body)
  })
}
