import type { Socket } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { GatewayError } from '../core/error.ts'
import type { HttpExchange } from '../core/http-exchange.ts'

/**
 * Takes the connection of an exchange over as a WebSocket (RFC 6455), which reads nothing before it is resumed. With `protocol` that is what
 * it speaks, and the client must have offered it. Rejects with MALFORMED_REQUEST for a handshake that is none: nothing was answered then.
 */
export function acceptSocket(
  x: HttpExchange,
  { maxMessageBytes, protocol }: { readonly maxMessageBytes: number; readonly protocol?: string },
): Promise<WebSocket> {
  const { upgrade, req } = x
  return new Promise((resolve, reject) => {
    if (upgrade === undefined)
      throw new GatewayError('MALFORMED_REQUEST', 'An upgrade takes Connection: Upgrade.')
    const server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: maxMessageBytes,
      ...(protocol === undefined ? undefined : { handleProtocols: () => protocol }),
    })
    server.on('wsClientError', (cause) =>
      reject(new GatewayError('MALFORMED_REQUEST', 'This is no WebSocket handshake.', { cause })),
    )
    server.on('headers', (lines) => {
      const headers = x.upgraded(101, [])
      for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`)
    })
    server.handleUpgrade(req, upgrade.socket as Socket, upgrade.head, (socket) => {
      socket.pause()
      // Whoever reads hears of it too; until then, and afterwards, it only ends the connection.
      socket.on('error', () => {})
      resolve(socket)
    })
  })
}
