import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

/** Passes bytes on to a port on loopback, and knows which connections are open. */
export interface TcpProxy {
  readonly url: string
  /** Connections that were ever made. */
  readonly made: number
  /** Resolves when none is open any more. */
  idle(): Promise<void>
}

export async function startTcpProxy(t: TestContext, port: number): Promise<TcpProxy> {
  const open = new Set<Socket>()
  let made = 0
  let look = (): void => {}
  const server = createServer((client) => {
    made++
    open.add(client)
    const backend = connect(port, '127.0.0.1')
    client.pipe(backend).pipe(client)
    for (const [one, other] of [
      [client, backend],
      [backend, client],
    ] as const) {
      one.on('error', () => {})
      one.once('close', () => other.destroy())
    }
    client.once('close', () => {
      open.delete(client)
      look()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get made() {
      return made
    },
    idle: () =>
      new Promise((resolve) => {
        look = () => {
          if (open.size === 0) resolve()
        }
        look()
      }),
  }
}
