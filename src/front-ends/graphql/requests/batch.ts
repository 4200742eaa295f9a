import { setImmediate as nextTurn } from 'node:timers/promises'
import { GatewayError, toGatewayError } from '../../../core/error.ts'
import type { HttpExchange } from '../../../core/http-exchange.ts'
import { chargeFurther } from '../../../core/request-cost.ts'
import { refusalBody } from '../errors.ts'
import type { OperationRequest } from '../operation-request.ts'

/** Limits of batches. */
export interface BatchOptions {
  readonly maxOperations: number
}

/** Refuses a list that may not be one. Throws INVALID_ARGUMENT, GRAPHQL_LIMIT_EXCEEDED. */
export function checkBatch(list: readonly unknown[], options: BatchOptions | undefined): void {
  if (options === undefined)
    throw new GatewayError('INVALID_ARGUMENT', 'Batches are not supported: send one operation per request.')
  if (list.length === 0) throw new GatewayError('INVALID_ARGUMENT', 'The list has no operation.')
  if (list.length > options.maxOperations) {
    const message = `The request has more operations than the limit of ${options.maxOperations}.`
    throw new GatewayError('GRAPHQL_LIMIT_EXCEEDED', message)
  }
}

/**
 * Runs each operation of a batch, some at a time, and returns their answers in order as one body (GraphQL over HTTP, proposal "Request Batching"): what
 * becomes of one is told in its own answer. An exchange of which nothing succeeded has the first error.
 *
 * @param run answers one operation as text; what it rejects with is the answer.
 */
export async function runBatch(
  x: HttpExchange,
  requests: readonly OperationRequest[],
  run: (request: OperationRequest) => Promise<string>,
): Promise<string> {
  const answers: string[] = []
  const failures: GatewayError[] = []
  let next = 0
  const work = async (): Promise<void> => {
    for (let index = next++; index < requests.length && !x.gone; index = next++) {
      // Reading one may take a while: others get their turn before the next.
      await nextTurn()
      try {
        // The request itself was counted for the first.
        if (index > 0) await x.get(chargeFurther)?.()
        answers[index] = await run(requests[index] as OperationRequest)
      } catch (thrown) {
        const error = toGatewayError(thrown)
        failures.push(error)
        answers[index] = refusalBody(x, error)
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  if (failures.length === requests.length) x.error ??= failures[0]
  return `[${answers.join(',')}]`
}

/** Operations of one batch that run at the same time. */
const atOnce = 5
