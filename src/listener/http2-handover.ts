import type { Socket } from 'node:net'
import { clientBytesRead } from './connection-origin.ts'

/** What Node's parser says once a connection has begun with the preface of HTTP/2 (RFC 9113 section 3.4). */
export interface Http2Preface extends NodeJS.ErrnoException {
  /** The piece in which the preface ended, and how much of it was read. */
  readonly rawPacket: Buffer
  readonly bytesParsed: number
}

/**
 * Whether a `clientError` means that the client speaks HTTP/2, from the first byte on: behind a request of HTTP/1.1 a preface is none.
 * Asking costs connections of HTTP/1.1 nothing: nobody looks at their bytes before the parser does.
 */
export function isHttp2Preface(error: NodeJS.ErrnoException, socket: Socket): error is Http2Preface {
  // With TLS, HTTP/2 is what ALPN says it is (RFC 9113 section 3.2).
  if (error.code !== 'HPE_PAUSED_H2_UPGRADE' || 'encrypted' in socket) return false
  const { rawPacket, bytesParsed } = error as Http2Preface
  return clientBytesRead(socket) - rawPacket.length + bytesParsed === preface.length
}

/** Takes a connection from Node's HTTP/1.1 server, which has read its preface, and puts the preface back in front of what follows. */
export function takeOver(socket: Socket, { rawPacket, bytesParsed }: Http2Preface): void {
  const { parser } = socket as { parser?: Http1Parser | null }
  // From here on the clocks of HTTP/1.1 do not see the connection. The parser itself is freed with it, by Node's `close` listener.
  parser?.unconsume()
  parser?.remove()
  for (const event of http1Events) socket.removeAllListeners(event)
  // The HTTP/1.1 server lets clients close their side before they have read the answer; a session ends with its client.
  socket.allowHalfOpen = false
  // A socket that flows would throw the bytes away.
  socket.pause()
  socket.unshift(Buffer.concat([preface, rawPacket.subarray(bytesParsed)]))
}

interface Http1Parser {
  unconsume(): void
  remove(): void
}

const http1Events = ['data', 'end', 'drain', 'timeout', 'error', 'pause', 'resume'] as const
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
