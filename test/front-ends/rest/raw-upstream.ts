import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

/** An upstream that speaks in bytes, well or badly. */
export interface RawUpstream {
  readonly url: string
  readonly port: number
  /** Everything that came, by connection, as latin1. */
  readonly received: string[]
  readonly sockets: Socket[]
}

/** What to do on a connection once its first head (up to the empty line) is there. `turn` counts connections from 0. */
export type OnHead = (socket: Socket, head: string, turn: number) => void

/**
 * Starts an upstream on a free port that hands each connection over when a request head has come. Ended with its test.
 * With `allowHalfOpen` it does not end a connection by itself when the other side has.
 */
export async function startRawUpstream(
  t: TestContext,
  onHead: OnHead,
  { allowHalfOpen = false } = {},
): Promise<RawUpstream> {
  const received: string[] = []
  const sockets: Socket[] = []
  const server = createServer({ allowHalfOpen }, (socket) => {
    const turn = received.push('') - 1
    sockets.push(socket)
    let told = false
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      received[turn] += chunk.toString('latin1')
      const text = received[turn] as string
      if (told || !text.includes('\r\n\r\n')) return
      told = true
      onHead(socket, text, turn)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, port, received, sockets }
}

/** A port on which nothing listens. */
export async function refusedUrl(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return `http://127.0.0.1:${port}`
}
