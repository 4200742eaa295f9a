import type { FastCall } from './fast-call.ts'
import type { Outbox } from './outbox.ts'
import {
  ConnectionError,
  defaultWindowBytes,
  errorCodes,
  frameFlags,
  frameHeadBytes,
  frameTypes,
  maxInt31,
  writeFrameHead,
} from './protocol.ts'
import type { RequestHeads } from './request-heads.ts'
import { SendQueue } from './send-queue.ts'
import type { PeerSettings } from './settings.ts'

/** Writes frames of one connection, and data as the peer's windows and its socket have room for it. */
export class Sender {
  readonly #outbox: Outbox
  readonly #heads: RequestHeads
  readonly #settings: PeerSettings
  /** Of the connection. */
  #window = defaultWindowBytes
  /** Calls that have something to send, but for those whose own window is used up. */
  readonly #ready = new Set<FastCall>()
  #first = true

  constructor(outbox: Outbox, heads: RequestHeads, settings: PeerSettings) {
    this.#outbox = outbox
    this.#heads = heads
    this.#settings = settings
  }

  /** Writes the headers of a call, and its message if there is room. False, and nothing is written: the peer takes no such headers. */
  open(call: FastCall): boolean {
    const { path, metadata, message } = call.request
    const { deadlineAt, id: streamId } = call
    const written = this.#heads.write(this.#outbox, {
      path,
      metadata,
      streamId,
      leftMs:
        deadlineAt === Number.POSITIVE_INFINITY ? Number.POSITIVE_INFINITY : deadlineAt - performance.now(),
      first: this.#first,
      maxListBytes: this.#settings.maxHeaderListBytes,
    })
    if (!written) return false
    this.#first = false
    if (message !== undefined && !this.#sendWhole(call, message)) {
      call.queue = new SendQueue()
      call.queue.add(message)
      call.queue.ended = true
    }
    if (call.queue !== undefined) this.wantsToSend(call)
    return true
  }

  wantsToSend(call: FastCall): void {
    this.#ready.add(call)
    this.pump()
  }

  forget(call: FastCall): void {
    this.#ready.delete(call)
  }

  /** Raises the window of the connection. Throws FLOW_CONTROL_ERROR above 2^31 - 1. */
  raise(bytes: number): void {
    this.#window += bytes
    if (this.#window > maxInt31) {
      throw new ConnectionError(errorCodes.flowControlError, 'The window of the connection is too large.')
    }
    this.pump()
  }

  /** Writes as much as there is room for, a frame of each call in turn. */
  pump(): void {
    let progress = true
    while (progress && this.#ready.size > 0) {
      progress = false
      for (const call of this.#ready) {
        if (this.#outbox.full) return
        if (this.#writeData(call)) progress = true
      }
    }
  }

  /** A frame without payload of its own but for these numbers of 32 bits. */
  control(type: number, streamId: number, ...words: readonly number[]): void {
    const outbox = this.#outbox
    const length = words.length * 4
    outbox.claim(frameHeadBytes + length)
    writeFrameHead(outbox.slab, outbox.end, { length, type, flags: 0, streamId })
    outbox.end += frameHeadBytes
    for (const word of words) outbox.end = outbox.slab.writeUInt32BE(word, outbox.end)
  }

  /** SETTINGS or PING with ACK, or our own PING. */
  echo(type: number, flags: number, payload: Uint8Array): void {
    const outbox = this.#outbox
    if (outbox.pendingBytes > mostPendingBytes) {
      throw new ConnectionError(errorCodes.enhanceYourCalm, 'The peer asks and does not read the answers.')
    }
    outbox.claim(frameHeadBytes)
    writeFrameHead(outbox.slab, outbox.end, { length: payload.length, type, flags, streamId: 0 })
    outbox.end += frameHeadBytes
    outbox.append(payload)
  }

  /** The usual case at the least cost: a small message into windows that have room. */
  #sendWhole(call: FastCall, message: Uint8Array): boolean {
    const outbox = this.#outbox
    const length = message.length + 5
    if (length > smallBytes || length > this.#window || length > call.sendWindow || outbox.full) return false
    outbox.claim(frameHeadBytes + length)
    const { slab, end: at } = outbox
    writeFrameHead(slab, at, {
      length,
      type: frameTypes.data,
      flags: frameFlags.endStream,
      streamId: call.id,
    })
    slab[at + frameHeadBytes] = 0
    slab.writeUInt32BE(message.length, at + frameHeadBytes + 1)
    slab.set(message, at + frameHeadBytes + 5)
    outbox.end = at + frameHeadBytes + length
    this.#window -= length
    call.sendWindow -= length
    call.sent = true
    return true
  }

  /** One frame of a call; false when none could be written. */
  #writeData(call: FastCall): boolean {
    const { queue, id: streamId } = call
    if (queue === undefined || call.sent) {
      this.#ready.delete(call)
      return false
    }
    const most = Math.min(this.#settings.maxFrameBytes, mostFrameBytes, this.#window, call.sendWindow)
    const length = Math.max(0, Math.min(queue.bytes, most))
    const last = queue.ended && length === queue.bytes
    if (length === 0 && !last) {
      if (queue.bytes === 0 || call.sendWindow <= 0) this.#ready.delete(call)
      return false
    }
    const outbox = this.#outbox
    outbox.claim(frameHeadBytes)
    const flags = last ? frameFlags.endStream : 0
    writeFrameHead(outbox.slab, outbox.end, { length, type: frameTypes.data, flags, streamId })
    outbox.end += frameHeadBytes
    queue.take(length, outbox)
    this.#window -= length
    call.sendWindow -= length
    call.sent = last
    if (queue.bytes === 0) this.#ready.delete(call)
    call.wrote()
    return true
  }
}

const smallBytes = 4_096
/** Larger frames would keep the other calls waiting. */
const mostFrameBytes = 65_536
/** What is waiting beside this is data, which waits for its room. */
const mostPendingBytes = 8_388_608
