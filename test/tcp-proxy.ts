import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { startTcpServer } from './tcp-server.ts'

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
  const { url } = await startTcpServer(t, (client) => {
    made++
    open.add(client)
    const backend = connect(port, '127.0.0.1')
    backend.on('error', () => {}).once('close', () => client.destroy())
    client.pipe(backend).pipe(client)
    client.once('close', () => {
      backend.destroy()
      open.delete(client)
      look()
    })
  })
  return {
    url,
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
