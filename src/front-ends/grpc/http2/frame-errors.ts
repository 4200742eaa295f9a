import type { Frame } from './frame-reader.ts'
import { ConnectionError, errorCodes } from './protocol.ts'

/** PROTOCOL_ERROR */
export function broken(message: string): ConnectionError {
  return new ConnectionError(errorCodes.protocolError, message)
}

/** FRAME_SIZE_ERROR */
export function wrongLength(what: string): ConnectionError {
  return new ConnectionError(errorCodes.frameSizeError, `${what} has a wrong length.`)
}

/** FLOW_CONTROL_ERROR */
export function windowBroken(message: string): ConnectionError {
  return new ConnectionError(errorCodes.flowControlError, message)
}

/** Throws unless the payload has that length and the frame is for a stream or, if that is what it has to be, for none. */
export function checkShape(
  { streamId, start, end, type }: Frame,
  shape: { readonly length: number; readonly onStream: boolean },
): void {
  if ((streamId !== 0) !== shape.onStream) throw broken(`A frame of type ${type} is for a wrong stream.`)
  if (end - start !== shape.length) throw wrongLength(`A frame of type ${type}`)
}
