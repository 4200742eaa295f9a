import { toGatewayError } from '../../../../core/error.ts'
import type { HttpExchange } from '../../../../core/http-exchange.ts'
import { answerText } from '../../answer.ts'
import { refusalErrors } from '../../errors.ts'
import type { OperationResult } from '../../operation.ts'
import type { Framing } from './framing.ts'

/** Where results come from, one at a time; undefined: there are no more. */
export interface Results {
  next(): Promise<OperationResult | undefined>
}

/** Answers an exchange by results one after the other, no faster than its client takes them. */
export async function serveEvents(
  x: HttpExchange,
  results: Results,
  { framing, heartbeatMs }: { readonly framing: Framing; readonly heartbeatMs: number },
): Promise<void> {
  x.writeHead(200, framing.headers.slice())
  x.write(framing.opening)
  const heartbeat = setInterval(() => {
    if (!x.res.writableNeedDrain) x.write(framing.heartbeat)
  }, heartbeatMs)
  heartbeat.unref()
  try {
    for (let result = await results.next(); result !== undefined; result = await results.next()) {
      if (x.gone) return
      if (!x.write(framing.result(answerText(x, result)))) await drained(x)
    }
    x.write(framing.complete)
  } catch (thrown) {
    const error = toGatewayError(thrown)
    x.error ??= error
    const errors = JSON.stringify(refusalErrors(x, error))
    x.write(error.reason === 'DRAINING' ? framing.restart(errors) : framing.failure(errors))
  } finally {
    clearInterval(heartbeat)
    if (!x.res.writableEnded) x.res.end()
  }
}

/** When the client has taken what was written, or has left. Who takes too long is cut off, as from any answer. */
function drained({ res }: HttpExchange): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      res.off('drain', over).off('close', over)
      resolve()
    }
    res.on('drain', over).on('close', over)
  })
}

/** One result, as if it came alone. */
export function single(result: OperationResult): Results {
  let rest: OperationResult | undefined = result
  return {
    async next() {
      const next = rest
      rest = undefined
      return next
    },
  }
}
