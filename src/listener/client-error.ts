import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { type GatewayError, refusalHeaders } from '../core/error.ts'

/**
 * Writes a refusal to a connection whose request was never understood, and ends it. There is no route and so no protocol: the words
 * are RFC 9457's. When an answer is already on its way on the connection, it is cut instead.
 */
export function refuseOnSocket(socket: Duplex, error: GatewayError): void {
  const { _httpMessage: answering } = socket as { _httpMessage?: { headersSent: boolean } | null }
  if (!socket.writable || answering?.headersSent === true) {
    socket.destroy()
    return
  }
  const { status, title, number } = error.entry
  const body = JSON.stringify({
    type: `urn:trivium:error:${error.reason}`,
    title,
    status,
    detail: error.message,
    code: number,
    reason: error.reason,
  })
  const headers = refusalHeaders(error)
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? title}`]
  for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`)
  lines.push('Content-Type: application/problem+json', `Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close')
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`)
  // A client that goes on sending would keep the connection half open.
  setTimeout(() => socket.destroy(), 1_000).unref()
}
