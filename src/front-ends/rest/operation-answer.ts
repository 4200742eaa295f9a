import type { HttpExchange } from '../../core/http-exchange.ts'
import { isJsonObject } from '../../core/json-value.ts'
import type { Place } from '../../core/text-template.ts'
import { beginComposition } from './aggregate/begin-composition.ts'
import { answerComposed, shownError } from './aggregate/composed-answer.ts'
import { ComposedPlace } from './aggregate/composition.ts'
import { answerOf, type OperationOptions, prepareOperation } from './stored-operation.ts'

/** What a route answers that runs a stored GraphQL operation. */
export interface OperationAnswerOptions extends OperationOptions {
  /** Of an answer. */
  readonly status: number
  /** The member that lists what failed, where the answer is an object. */
  readonly errorsAs: string
  readonly timeoutMs: number
  readonly maxBodyBytes: number
}

/** Compiles a stored operation of a route with these methods. Throws a Mistake. */
export function compileOperationAnswer(
  options: OperationAnswerOptions,
  route: { readonly place: Place; readonly methods: readonly string[] },
): (x: HttpExchange) => Promise<void> {
  const { status, errorsAs, timeoutMs, maxBodyBytes } = options
  const place = new ComposedPlace(route.place)
  const operation = prepareOperation(options, { place, methods: route.methods })
  const { namesBody } = place
  return async (x) => {
    const deadlineAt = performance.now() + timeoutMs
    x.attributes['graphql.operation.type'] = operation.type
    if (operation.name !== '') x.attributes['graphql.operation.name'] = operation.name
    await beginComposition(x, { namesBody, maxBodyBytes })
    const { data, errors } = answerOf(
      await operation.run(x, { deadlineAt, maxAnswerBytes: Number.POSITIVE_INFINITY }),
      options,
    )
    if (x.gone) return
    const shown = errors.map(({ error, path }) => shownError(error, { path }))
    const whole = isJsonObject(data) && shown.length > 0 ? { ...data, [errorsAs]: shown } : data
    answerComposed(x, whole, { status, completed: shown.length === 0 })
  }
}
