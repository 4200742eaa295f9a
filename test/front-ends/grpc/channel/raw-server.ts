import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'

/** A frame as it stands on the wire. */
export interface RawFrame {
  readonly type: number
  readonly flags: number
  readonly streamId: number
  readonly payload: Buffer
}

/** One connection at the side of a server that may do anything. */
export interface Peer {
  readonly socket: Socket
  /** What came since the preface. */
  readonly frames: RawFrame[]
  write(...pieces: readonly Uint8Array[]): void
  /** The first frame of a type, when it came. */
  frame(type: number, streamId?: number): Promise<RawFrame>
}

/** A server that speaks by hand. */
export interface RawServer {
  readonly url: string
  readonly peers: readonly Peer[]
  close(): void
}

/** Starts one, by default on a free port; `serve` gets each connection. */
export async function startRaw(
  serve: (peer: Peer) => void | Promise<void>,
  { host = '127.0.0.1', port: wanted = 0 } = {},
): Promise<RawServer> {
  const peers: Peer[] = []
  const server = createServer((socket) => {
    socket.on('error', () => {})
    const peer = peerOf(socket)
    peers.push(peer)
    void Promise.resolve(serve(peer)).catch(() => {})
  })
  server.listen(wanted, host)
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://${host}:${port}`,
    peers,
    close() {
      for (const { socket } of peers) socket.destroy()
      server.close()
    },
  }
}

function peerOf(socket: Socket): Peer {
  const frames: RawFrame[] = []
  const waiting: (() => void)[] = []
  let rest: Buffer = Buffer.alloc(0)
  let preface = 24
  const wake = (): void => {
    for (const one of waiting.splice(0)) one()
  }
  socket.on('close', wake)
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    const skipped = Math.min(preface, rest.length)
    preface -= skipped
    rest = rest.subarray(skipped)
    while (rest.length >= 9) {
      const length = rest.readUIntBE(0, 3)
      if (rest.length < 9 + length) break
      const [type = 0, flags = 0] = rest.subarray(3, 5)
      frames.push({ type, flags, streamId: rest.readUInt32BE(5), payload: rest.subarray(9, 9 + length) })
      rest = rest.subarray(9 + length)
    }
    wake()
  })
  return {
    socket,
    frames,
    write: (...pieces) => void socket.write(Buffer.concat(pieces)),
    async frame(type, streamId) {
      for (;;) {
        const found = frames.find((one) => one.type === type && (streamId ?? one.streamId) === one.streamId)
        if (found !== undefined) return found
        if (socket.destroyed) throw new Error(`The client went before a frame of type ${type}.`)
        await new Promise<void>((resolve) => waiting.push(resolve))
      }
    },
  }
}

export const types = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const

/** Flags. */
export const END_STREAM = 1
export const ACK = 1
export const END_HEADERS = 4
export const PADDED = 8

export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array = new Uint8Array(0),
): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(streamId, 5)
  return Buffer.concat([head, payload])
}

/** SETTINGS of pairs. */
export function settings(...pairs: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(pairs.length * 6)
  for (const [i, [id, value]] of pairs.entries()) {
    payload.writeUInt16BE(id, i * 6)
    payload.writeUInt32BE(value, i * 6 + 2)
  }
  return frame(types.settings, 0, 0, payload)
}

/** Numbers of 32 bits. */
export function words(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(numbers.length * 4)
  for (const [i, number] of numbers.entries()) bytes.writeUInt32BE(number, i * 4)
  return bytes
}

/** A header block of literals without indexing. */
export function block(...fields: readonly string[]): Buffer {
  return Buffer.concat(
    fields.map((text, i) =>
      Buffer.concat([Buffer.from(i % 2 === 0 ? [0] : []), length7(text.length), Buffer.from(text, 'latin1')]),
    ),
  )
}

function length7(length: number): Buffer {
  if (length < 127) return Buffer.from([length])
  const bytes = [127]
  let rest = length - 127
  for (; rest >= 128; rest >>>= 7) bytes.push((rest & 127) | 128)
  return Buffer.from([...bytes, rest])
}

/** A gRPC message. */
export function grpc(message: string | Uint8Array, flag = 0): Buffer {
  const bytes = Buffer.from(message)
  const prefix = Buffer.from([flag, 0, 0, 0, 0])
  prefix.writeUInt32BE(bytes.length, 1)
  return Buffer.concat([prefix, bytes])
}

export const okHead = block(':status', '200', 'content-type', 'application/grpc')
export const okTrailers = block('grpc-status', '0')

/** A whole good answer. */
export function answer(streamId: number, message = 'fine'): Buffer {
  return Buffer.concat([
    frame(types.headers, END_HEADERS, streamId, okHead),
    frame(types.data, 0, streamId, grpc(message)),
    frame(types.headers, END_HEADERS | END_STREAM, streamId, okTrailers),
  ])
}

export function windowUpdate(streamId: number, increment: number): Buffer {
  return frame(types.windowUpdate, 0, streamId, words(increment))
}

export function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex')
}
