import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

/** A connection from an address of the loopback network (127.0.0.2 is another host than 127.0.0.1), with all that came back on it. */
export interface Knock {
  readonly socket: Socket
  /** Resolves with all that came once it matches; with what came when the connection ends before. */
  until(pattern: RegExp): Promise<string>
  /** Resolves with all that came once the other side has ended the connection. */
  closed(): Promise<string>
}

/** Connects, and sends `bytes` where there are any. */
export async function knock(
  t: TestContext,
  port: number,
  { from = '127.0.0.1', bytes = '' as string | Buffer } = {},
): Promise<Knock> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from })
  let text = ''
  let ended = false
  let changed = Promise.withResolvers<void>()
  const tell = (): void => {
    changed.resolve()
    changed = Promise.withResolvers()
  }
  socket.on('error', () => {})
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
    tell()
  })
  socket.on('close', () => {
    ended = true
    tell()
  })
  t.after(() => socket.destroy())
  await once(socket, 'connect')
  if (bytes.length > 0) socket.write(bytes)
  const until = async (pattern: RegExp): Promise<string> => {
    while (!ended && !pattern.test(text)) await changed.promise
    return text
  }
  return { socket, until, closed: () => until(/(?!)/) }
}
