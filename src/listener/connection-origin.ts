import type { Socket } from 'node:net'

/** Where a connection came from before it reached the proxy in front. */
export interface ConnectionOrigin {
  readonly address: string
  readonly port: number
}

/**
 * Makes a connection say that it came from elsewhere: `remoteAddress` and `remotePort` are those of the client then, for all who ask. `headerBytes`
 * is what stood in front of the client's own first byte.
 */
export function noteOrigin(socket: Socket, origin: ConnectionOrigin | undefined, headerBytes: number): void {
  ;(socket as Noted)[behind] = headerBytes
  if (origin !== undefined) say(socket, origin)
}

/** For the TLS that is spoken over a connection: it comes from where that does. */
export function copyOrigin(from: Socket, to: Socket): void {
  const { remoteAddress: address, remotePort: port } = from
  if (Object.hasOwn(from, 'remoteAddress') && address !== undefined && port !== undefined)
    say(to, { address, port })
}

/** Bytes of the client's own that a connection has brought. */
export function clientBytesRead(socket: Socket): number {
  return socket.bytesRead - ((socket as Noted)[behind] ?? 0)
}

function say(socket: Socket, { address, port }: ConnectionOrigin): void {
  Object.defineProperties(socket, { remoteAddress: { value: address }, remotePort: { value: port } })
}

interface Noted extends Socket {
  [behind]?: number
}

const behind = Symbol('bytes of the PROXY header')
