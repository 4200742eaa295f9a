import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'

/** Close code of a server that shuts down (RFC 6455 section 7.4.1). */
const goingAway = 1001

/**
 * Turns every upgrade that `server` accepts into a WebSocket that sends each text and binary message back.
 * Messages are 1 MiB at most. The function given back closes all of them.
 */
export function serveEcho(server: Server): () => void {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 1024 * 1024 })
  sockets.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
    // ws closes the socket itself after a bad frame; without a listener the error would end the process.
    socket.on('error', () => {})
  })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    sockets.handleUpgrade(request, socket, head, (webSocket: WebSocket) => {
      sockets.emit('connection', webSocket, request)
    })
  })
  return () => {
    for (const socket of sockets.clients) socket.close(goingAway)
  }
}
