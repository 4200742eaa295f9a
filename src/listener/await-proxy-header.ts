import type { Socket } from 'node:net'
import { type ProxyHeader, readProxyHeader } from './proxy-header.ts'

export interface ProxyHeaderWait {
  readonly timeoutMs: number
  /** The header is read, and the connection stands right behind it. */
  onRead(header: ProxyHeader): void
  /** None came: the peer sent something else, went, or took too long. The connection is closed. */
  onNone(): void
}

/** Waits for the PROXY header of a connection that nobody reads yet. A socket that is destroyed meanwhile counts as one without. */
export function awaitProxyHeader(socket: Socket, { timeoutMs, onRead, onNone }: ProxyHeaderWait): void {
  let held: Buffer = Buffer.alloc(0)
  const giveUp = (): void => {
    stop()
    // What is on its way still fails with an event.
    socket.on('error', () => {})
    socket.destroy()
    onNone()
  }
  const look = (): void => {
    const chunk = socket.read() as Buffer | null
    if (chunk === null) return
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    let header: ProxyHeader | undefined
    try {
      header = readProxyHeader(held)
    } catch {
      giveUp()
      return
    }
    if (header === undefined) return
    stop()
    if (held.length > header.bytes) socket.unshift(held.subarray(header.bytes))
    onRead(header)
  }
  const timer = setTimeout(giveUp, timeoutMs)
  const stop = (): void => {
    clearTimeout(timer)
    socket.off('readable', look).off('end', giveUp).off('close', giveUp).off('error', giveUp)
  }
  socket.on('readable', look).on('end', giveUp).on('close', giveUp).on('error', giveUp)
}
