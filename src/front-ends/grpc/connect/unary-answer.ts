import { type GatewayError, refusalHeaders } from '../../../core/error.ts'
import type { HttpExchange } from '../../../core/http-exchange.ts'
import { grpcNumbers } from '../../../core/reason-entry.ts'
import { httpStatus } from '../rpc-status.ts'
import type { ConnectError } from './connect-error.ts'
import type { ConnectFormat } from './connect-format.ts'
import { compressFromBytes, gzip, takesGzip } from './gzip.ts'

/** Answers with a bare message, in gzip where the client takes that and it pays. `headers` is flat and grows. */
export async function answerMessage(
  x: HttpExchange,
  message: string | Uint8Array,
  { headers, format }: { readonly headers: string[]; readonly format: ConnectFormat },
): Promise<void> {
  headers.push('Content-Type', format.contentType, 'Vary', 'Accept-Encoding')
  if (message.length < compressFromBytes || !takesGzip(x.header('accept-encoding'))) {
    x.answer(
      200,
      headers,
      typeof message === 'string' ? message : Buffer.from(message.buffer, message.byteOffset, message.length),
    )
    return
  }
  const compressed = await gzip(message)
  headers.push('Content-Encoding', 'gzip')
  if (!x.gone) x.answer(200, headers, compressed)
}

/** Answers with an error; `headers` is flat and grows. */
export function answerUnaryError(
  x: HttpExchange,
  error: ConnectError,
  { status, headers }: { readonly status: number; readonly headers: string[] },
): void {
  headers.push('Content-Type', 'application/json')
  x.answer(status, headers, JSON.stringify(error))
}

/** The HTTP status of a refusal: of Connect's table of codes, but 415 for content types, as the protocol has it. */
function refusalStatus({ reason, code }: GatewayError): number {
  return reason === 'UNSUPPORTED_MEDIA_TYPE' ? 415 : httpStatus(grpcNumbers[code])
}

/** Refuses a unary call. */
export function refuseUnary(x: HttpExchange, refusal: GatewayError, error: ConnectError): void {
  answerUnaryError(x, error, { status: refusalStatus(refusal), headers: refusalHeaders(refusal) })
}
