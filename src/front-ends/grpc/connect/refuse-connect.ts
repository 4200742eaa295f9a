import type { Registry } from '@bufbuild/protobuf'
import { type GatewayError, refusalHeaders } from '../../../core/error.ts'
import type { HttpExchange } from '../../../core/http-exchange.ts'
import { grpcNumbers } from '../../../core/reason-entry.ts'
import { connectRefusal } from './connect-error.ts'
import { connectFormat } from './connect-format.ts'
import { noteOutcome } from './outcome.ts'
import { StreamAnswer } from './stream-answer.ts'
import { refuseUnary } from './unary-answer.ts'

/** Refuses an exchange, of which nothing was answered, in the words of Connect: at the end of an empty stream, or as the body. */
export function refuseConnect(x: HttpExchange, error: GatewayError, registry: Registry): void {
  const spelled = connectRefusal(x, error, registry)
  noteOutcome(x, grpcNumbers[error.code], spelled)
  const format = connectFormat(x)
  if (format?.enveloped !== true || error.reason === 'UNSUPPORTED_MEDIA_TYPE') {
    refuseUnary(x, error, spelled)
    return
  }
  const answer = new StreamAnswer(x, format)
  answer.begin(refusalHeaders(error))
  answer.end(spelled, [])
}
