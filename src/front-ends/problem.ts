import { type GatewayError, refusalHeaders, retryAfterSeconds } from '../core/error.ts'
import type { HttpExchange } from '../core/http-exchange.ts'

/** Answers a refused or failed exchange with `application/problem+json` (RFC 9457). */
export function refuseWithProblem(x: HttpExchange, error: GatewayError): void {
  const { entry } = error
  const problem: Record<string, unknown> = {
    type: `urn:trivium:error:${error.reason}`,
    title: entry.title,
    status: error.status,
    detail: error.message,
    instance: x.request.path,
    code: entry.number,
    reason: error.reason,
    requestId: x.id,
    traceId: x.trace.traceId,
  }
  if (error.retryAfterMs !== undefined) problem.retryAfter = retryAfterSeconds(error.retryAfterMs)
  if (error.violations.length > 0) problem.errors = error.violations
  const headers = refusalHeaders(error)
  headers.push('Content-Type', 'application/problem+json', 'Cache-Control', 'no-store')
  x.answer(error.status, headers, JSON.stringify(problem))
}
