import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'

/**
 * Pings a WebSocket every `pingMs` (0: never), so that proxies between keep it and a peer that is gone is noticed: nothing heard of it
 * since the ping before the last ends the connection. Also while nothing is read of it, when a write that fails is the only sign.
 */
export function watchSocket(socket: WebSocket, connection: Duplex, pingMs: number): void {
  if (pingMs === 0) return
  const { bytesRead } = connection as Connection
  let heard = bytesRead
  let silent = 0
  const timer = setInterval(() => {
    const { bytesRead: now, writableNeedDrain } = connection as Connection
    silent = socket.isPaused || now !== heard ? 0 : silent + 1
    heard = now
    if (silent > 1) socket.terminate()
    // What waits to be sent tells as much when it fails, and pings behind it would only pile up.
    else if (!writableNeedDrain && socket.readyState === socket.OPEN) socket.ping()
  }, pingMs)
  timer.unref()
  socket.once('close', () => clearInterval(timer))
}

/** Sockets count; their common type does not say so. */
type Connection = Duplex & { readonly bytesRead: number }
