import { GatewayError } from '../../../core/error.ts'
import type { HttpExchange } from '../../../core/http-exchange.ts'
import { readBody, tooLarge } from '../../../core/request-body.ts'
import { inflateRequest } from './inflate-request.ts'
import type { WireFormat } from './wire-format.ts'

/** Bytes in front of each message: a flag and the length (gRPC PROTOCOL-HTTP2, "Length-Prefixed-Message"). */
const headBytes = 5

/** One message, or the trailers of gRPC-Web, with their head. */
export function frame(flag: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(headBytes + payload.length)
  bytes[0] = flag
  bytes.writeUInt32BE(payload.length, 1)
  bytes.set(payload, headBytes)
  return bytes
}

/**
 * The one message of a request, as it was before it was compressed. Rejects with BODY_TOO_LARGE when it has more than `maxBytes`, packed
 * or not, NOT_IMPLEMENTED when it is compressed in a way that is not known, INVALID_BODY when the body is not exactly one message.
 */
export async function readMessage(
  x: HttpExchange,
  { kind }: WireFormat,
  maxBytes: number,
): Promise<Uint8Array> {
  const frameBytes = maxBytes + headBytes
  const isText = kind === 'webText'
  const body = await readBody(x, isText ? Math.ceil(frameBytes / 3) * 4 + 4 : frameBytes)
  const bytes = isText ? fromBase64(body.toString('latin1')) : body
  if (bytes.length < headBytes) throw invalid('The request has no message.')
  const flag = bytes[0] as number
  if (flag > 1) throw invalid('The message has flags that mean nothing.')
  const length = bytes.readUInt32BE(1)
  if (length > maxBytes) throw tooLarge(maxBytes)
  if (length !== bytes.length - headBytes) throw invalid('The request is not exactly one message.')
  const message = bytes.subarray(headBytes)
  return flag === 1 ? inflateRequest(message, x.header('grpc-encoding'), maxBytes) : message
}

/** Pieces that were encoded one by one may stand behind each other, each with its padding. */
function fromBase64(text: string): Buffer {
  if (!/^(?:[A-Za-z0-9+/]+={0,2})*$/.test(text)) throw invalid('The body is no base64.')
  return Buffer.concat((text.match(/[^=]+/g) ?? []).map((piece) => Buffer.from(piece, 'base64')))
}

function invalid(message: string): GatewayError {
  return new GatewayError('INVALID_BODY', message)
}
