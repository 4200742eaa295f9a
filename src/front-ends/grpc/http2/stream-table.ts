import type { FastCall } from './fast-call.ts'
import { ConnectionError, errorCodes } from './protocol.ts'

/** The streams of a connection by their ids, and what is known of those that are closed. Source: RFC 9113 section 5.1. */
export class StreamTable {
  /** Of the next call; odd. */
  nextId = 1
  readonly #calls = new Map<number, FastCall>()
  /** Streams that we have reset: frames that were on their way may still come. */
  readonly #reset = new Set<number>()

  get size(): number {
    return this.#calls.size
  }

  add(call: FastCall): void {
    this.#calls.set(call.id, call)
    this.nextId += 2
  }

  /** The call of a stream; undefined for one that is over. Throws PROTOCOL_ERROR for one that never was. */
  at(streamId: number): FastCall | undefined {
    const call = this.#calls.get(streamId)
    if (call === undefined && (streamId % 2 === 0 || streamId >= this.nextId)) {
      throw new ConnectionError(errorCodes.protocolError, `A frame is for stream ${streamId}, which is idle.`)
    }
    return call
  }

  /** Throws STREAM_CLOSED for headers or data of a stream that the peer itself had ended. */
  mayStillCome(streamId: number): void {
    if (this.#reset.has(streamId)) return
    throw new ConnectionError(errorCodes.streamClosed, `A frame is for stream ${streamId}, which is closed.`)
  }

  /** The peer has ended a stream. */
  close(streamId: number): void {
    this.#calls.delete(streamId)
    this.#reset.delete(streamId)
  }

  /** We end a stream; false when it was over. */
  reset(call: FastCall): boolean {
    if (!this.#calls.delete(call.id)) return false
    this.#reset.add(call.id)
    if (this.#reset.size > mostRemembered) {
      for (const oldest of this.#reset) {
        this.#reset.delete(oldest)
        break
      }
    }
    return true
  }

  /** Takes out the calls above an id: all of them by default. */
  clear(above = 0): FastCall[] {
    const taken: FastCall[] = []
    for (const [id, call] of this.#calls) {
      if (id <= above) continue
      this.#calls.delete(id)
      taken.push(call)
    }
    return taken
  }

  [Symbol.iterator](): Iterator<FastCall> {
    return this.#calls.values()
  }
}

const mostRemembered = 10_000
