import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

/** A TCP server on a free port of loopback, ended with its test. */
export interface TcpServer {
  readonly url: string
  readonly port: number
  /** All that ever connected, oldest first. */
  readonly sockets: readonly Socket[]
}

/** Starts one; errors of its connections are nobody's business. */
export async function startTcpServer(
  t: TestContext,
  handle: (socket: Socket) => unknown,
): Promise<TcpServer> {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    handle(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, port, sockets }
}
