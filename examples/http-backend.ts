import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Backend, BackendOptions } from './backend.ts'

/** How long `close` waits for running requests before it cuts their sockets. */
const graceMs = 1_000

/** What there is to serve: a server that does not listen yet, and what to tell it before it closes. */
export interface HttpService {
  readonly name: string
  readonly server: Server
  /** Called first on `close`, to end what would never end by itself: event streams, WebSockets. */
  readonly onClosing?: () => void
}

/** Makes a node:http server listen. Rejects with the server's own error when it cannot (`EADDRINUSE`). */
export async function startHttpBackend(service: HttpService, options: BackendOptions): Promise<Backend> {
  const { name, server, onClosing } = service
  const host = options.host ?? '127.0.0.1'
  // Kept by hand because closeAllConnections() forgets the sockets that became WebSockets.
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(options.port ?? 0, host)
  await once(server, 'listening')

  const close = async (): Promise<void> => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    onClosing?.()
    const cut = setTimeout(() => {
      for (const socket of sockets) socket.destroy()
    }, graceMs)
    await closed
    clearTimeout(cut)
  }
  return { name, url: originOf(host, server.address() as AddressInfo), close }
}

function originOf(host: string, { port }: AddressInfo): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
