import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

/** Stands in front of a backend and keeps what is sent to it until it is opened. */
export interface Sluice {
  readonly url: string
  /** Resolves when something was sent to it. */
  readonly arrived: Promise<void>
  /** Lets everything through from now on. */
  open(): void
}

/** Starts one in front of an address; ended with its test. */
export async function startSluice(t: TestContext, target: string): Promise<Sluice> {
  const { hostname, port } = new URL(target)
  const opened = Promise.withResolvers<void>()
  const arrived = Promise.withResolvers<void>()
  const sockets = new Set<Socket>()
  const server = createServer(async (near) => {
    const far = connect(Number(port), hostname)
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {})
    }
    near.once('close', () => far.destroy())
    far.once('close', () => near.destroy())
    near.once('readable', () => arrived.resolve())
    await opened.promise
    near.pipe(far)
    far.pipe(near)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrived: arrived.promise,
    open: () => opened.resolve(),
  }
}
