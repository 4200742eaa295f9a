import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { type GatewayError, refusalHeaders } from '../core/error.ts'
import { endSlowly } from '../core/linger.ts'

/**
 * Writes a refusal to a connection whose request was never understood, and ends it. There is no route and so no protocol: the words
 * are RFC 9457's. Answers to requests before that one go first; one whose own body is unreadable is cut when it has begun.
 */
export function refuseOnSocket(socket: Duplex, error: GatewayError): void {
  const { _httpMessage: answering } = socket as { _httpMessage?: ServerResponse | null }
  if (!socket.writable) return
  if (answering?.req.complete === true) {
    answering.once('finish', () => refuseOnSocket(socket, error))
  } else if (answering?.headersSent === true) {
    socket.destroy()
  } else {
    endSlowly(socket, refusal(error))
  }
}

function refusal(error: GatewayError): string {
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
  lines.push(
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  )
  return `${lines.join('\r\n')}\r\n\r\n${body}`
}
