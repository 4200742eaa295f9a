import type { Socket } from 'node:net'

/** What is to be written to a socket: gathered during one turn of the event loop and written at its end. */
export class Outbox {
  /** Small things are written here, from {@link end} on, after {@link claim}. */
  slab: Buffer = Buffer.allocUnsafeSlow(slabBytes)
  end = 0
  /** The socket has taken as much as it wants; the owner calls {@link drained} when that changes. */
  blocked = false
  readonly #socket: Socket
  #start = 0
  #parts: Uint8Array[] = []
  #partBytes = 0
  #scheduled = false

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /** Whether more data should wait. Frames that are no data may still be written. */
  get full(): boolean {
    return this.blocked || this.#partBytes + (this.end - this.#start) >= fullBytes
  }

  /** Bytes that the other end has not taken yet. */
  get pendingBytes(): number {
    return this.#partBytes + (this.end - this.#start) + this.#socket.writableLength
  }

  /** Makes room for so many bytes at {@link end}, and sees to it that they are written. */
  claim(bytes: number): void {
    if (!this.#scheduled) {
      this.#scheduled = true
      setImmediate(flush, this)
    }
    if (this.slab.length - this.end >= bytes) return
    this.#cut()
    this.slab = Buffer.allocUnsafeSlow(Math.max(slabBytes, bytes))
    this.#start = 0
    this.end = 0
  }

  /** Adds bytes after what was written so far; large ones are not copied and must stay as they are. */
  append(bytes: Uint8Array): void {
    const { length } = bytes
    if (length <= copiedBytes) {
      this.claim(length)
      this.slab.set(bytes, this.end)
      this.end += length
      return
    }
    this.claim(0)
    this.#cut()
    this.#parts.push(bytes)
    this.#partBytes += length
  }

  /** Hands everything to the socket now. */
  flush(): void {
    this.#scheduled = false
    this.#cut()
    const parts = this.#parts
    if (parts.length === 0) return
    this.#parts = []
    this.#partBytes = 0
    const socket = this.#socket
    if (socket.destroyed || socket.writableEnded) return
    if (parts.length === 1) {
      this.blocked = !socket.write(parts[0] as Uint8Array)
      return
    }
    socket.cork()
    for (let i = 0; i < parts.length; i++) this.blocked = !socket.write(parts[i] as Uint8Array)
    socket.uncork()
  }

  drained(): void {
    this.blocked = false
  }

  #cut(): void {
    if (this.end === this.#start) return
    const part = this.slab.subarray(this.#start, this.end)
    this.#start = this.end
    this.#parts.push(part)
    this.#partBytes += part.length
  }
}

function flush(outbox: Outbox): void {
  outbox.flush()
}

const slabBytes = 32_768
/** Up to here a copy is cheaper than a part of its own. */
const copiedBytes = 4_096
const fullBytes = 262_144
