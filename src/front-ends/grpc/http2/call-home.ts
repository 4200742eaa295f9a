import type { FastCall } from './fast-call.ts'

/** Where a call is: waiting for a connection, or on one. */
export interface CallHome {
  /** The call is over for its client; with an error code, the peer is to be told. */
  leave(call: FastCall, errorCode: number): void
  /** There is something in the call's queue. */
  wantsToSend(call: FastCall): void
  /** The call has done with so many bytes of its window. */
  consumed(call: FastCall, bytes: number): void
}
