import { type GatewayError, refusalHeaders } from '../../core/error.ts'
import type { HttpExchange } from '../../core/http-exchange.ts'
import { addChallenge } from './challenge.ts'
import { answerWhole } from './reply-trailers.ts'
import { httpStatus, type RpcStatus, retryAfterSeconds, statusOfError } from './rpc-status.ts'

/** Answers with a backend's refusal; `headers` is flat and grows, `trailers` is flat. */
export function answerStatus(
  x: HttpExchange,
  status: RpcStatus,
  { headers, trailers }: { readonly headers: string[]; readonly trailers: readonly string[] },
): void {
  const retryAfter = retryAfterSeconds(status)
  if (retryAfter !== undefined) headers.push('Retry-After', String(retryAfter))
  const http = httpStatus(status.code)
  addChallenge(x, http, headers)
  headers.push('Content-Type', 'application/json')
  answerWhole(x, { status: http, headers, trailers, body: JSON.stringify(status) })
}

/** Answers with a refusal of the gateway itself. */
export function answerError(x: HttpExchange, error: GatewayError): void {
  const status = statusOfError(x, error)
  x.attributes['rpc.grpc.status_code'] = status.code
  x.answer(
    error.entry.status,
    [...refusalHeaders(error), 'Content-Type', 'application/json'],
    JSON.stringify(status),
  )
}
