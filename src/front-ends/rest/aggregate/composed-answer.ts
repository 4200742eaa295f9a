import type { GatewayError } from '../../../core/error.ts'
import type { HttpExchange } from '../../../core/http-exchange.ts'

/** Answers with JSON, and says by `X-Gateway-Completed` whether all of it is there. What is not whole is not kept by caches. */
export function answerComposed(
  x: HttpExchange,
  value: unknown,
  { status, completed }: { readonly status: number; readonly completed: boolean },
): void {
  const headers = ['Content-Type', 'application/json', 'X-Gateway-Completed', String(completed)]
  if (!completed) headers.push('Cache-Control', 'no-store')
  x.answer(status, headers, JSON.stringify(value))
}

/** What failed, as an answer that is not whole says it: `where`, reason, status and text. */
export function shownError(
  { reason, status, message }: GatewayError,
  where: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, unknown>> {
  return { ...where, reason, status, detail: message }
}
