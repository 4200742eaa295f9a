import type { FastCall } from './fast-call.ts'
import { windowBroken } from './frame-errors.ts'
import { frameTypes } from './protocol.ts'
import type { Sender } from './sender.ts'

/** What the peer may still send; it is told of more when half is used. Source: RFC 9113 section 5.2. */
export class ReceiveWindows {
  readonly #streamBytes: number
  readonly #connectionBytes: number
  readonly #sender: Sender
  #left: number
  #owed = 0

  constructor(streamBytes: number, connectionBytes: number, sender: Sender) {
    this.#streamBytes = streamBytes
    this.#connectionBytes = connectionBytes
    this.#left = connectionBytes
    this.#sender = sender
  }

  /**
   * Counts the payload of DATA on the connection, which waits for nobody: a call that is not read must not stop the others.
   * Throws FLOW_CONTROL_ERROR when it was not allowed.
   */
  arrived(payload: number): void {
    this.#left -= payload
    if (this.#left < 0) throw windowBroken('The server sent more than the window allows.')
    this.#owed += payload
    if (this.#owed * 2 < this.#connectionBytes) return
    this.#sender.control(frameTypes.windowUpdate, 0, this.#owed)
    this.#left += this.#owed
    this.#owed = 0
  }

  /** A call is done with bytes of its own window. */
  giveBack(call: FastCall, bytes: number): void {
    call.owed += bytes
    if (call.owed * 2 < this.#streamBytes) return
    this.#sender.control(frameTypes.windowUpdate, call.id, call.owed)
    call.receiveWindow += call.owed
    call.owed = 0
  }
}
