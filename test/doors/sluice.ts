import { connect } from 'node:net'
import type { TestContext } from 'node:test'
import { startTcpServer } from '../tcp-server.ts'

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
  const { url } = await startTcpServer(t, async (near) => {
    const far = connect(Number(port), hostname)
    far.on('error', () => {})
    near.once('close', () => far.destroy())
    far.once('close', () => near.destroy())
    near.once('readable', () => arrived.resolve())
    await opened.promise
    near.pipe(far)
    far.pipe(near)
  })
  return { url, arrived: arrived.promise, open: () => opened.resolve() }
}
