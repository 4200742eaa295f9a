import type { RpcFailure } from '../channel.ts'
import { codeOfReset } from './answer.ts'
import { errorCodes } from './protocol.ts'

/** Why a call failed without a word from the backend. */
export interface CallFailure {
  readonly failure: RpcFailure
  /** `google.rpc.Code` */
  readonly code: number
  readonly message: string
  /** Default: whether the call was on the wire. */
  readonly reached?: boolean
  /** See `RpcEnd`. Default false. */
  readonly stale?: boolean
}

/** The backend answered with something that is no gRPC. */
export function noGrpc(message: string): CallFailure {
  return { failure: 'protocol', code: 13, message }
}

/** The gateway's own code threw while it took an answer: this call is over, the others are not. */
export function receiverFailed(thrown: unknown): CallFailure {
  return { failure: 'cancelled', code: 13, message: `The receiver failed: ${String(thrown)}` }
}

/** A message that is above the limit. */
export function tooLarge(bytes: number | string, limit: number): CallFailure {
  return {
    failure: 'tooLarge',
    code: 8,
    message: `A message of ${bytes} bytes is above the limit of ${limit}.`,
  }
}

/** The peer sent RST_STREAM; one that refuses the call does so before it answers anything. */
export function resetFailure(errorCode: number, answered: boolean): CallFailure {
  const refused = errorCode === errorCodes.refusedStream && !answered
  const message = `Received RST_STREAM with code ${errorCode}.`
  return {
    failure: refused ? 'refusedStream' : 'reset',
    code: codeOfReset(errorCode),
    message,
    reached: !refused,
  }
}

/** The client wants no more. */
export const cancelled: CallFailure = { failure: 'cancelled', code: 1, message: 'Cancelled by the client.' }

/** The call took too long. */
export const deadlinePassed: CallFailure = { failure: 'deadline', code: 4, message: 'The deadline passed.' }

/** Source: gRPC doc/statuscodes.md, "response cardinality violation". */
export const notOneMessage: CallFailure = {
  failure: 'protocol',
  code: 12,
  message: 'The answer has not exactly one message.',
}
