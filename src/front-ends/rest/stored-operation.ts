import { GatewayError } from '../../core/error.ts'
import { valueAt } from '../../core/json-value.ts'
import { Mistake } from '../../core/mistake.ts'
import type { OperationAnswer, StoredOperation } from '../../core/stored-operation.ts'
import type { Place } from '../../core/text-template.ts'

/** How an operation is put into a route. */
export interface OperationOptions {
  /** Checks the operation against the schema, and its variables against the values of the place. Throws a Mistake. */
  readonly prepare: (place: Place) => StoredOperation
  /** Where in the data the answer is: `user`; undefined: all of it. */
  readonly at: string | undefined
  /** What is to be done with data that came with errors. */
  readonly partial: 'answer' | 'refuse'
}

/** Prepares an operation for the methods of a route (none: all). Throws a Mistake for a mutation that a GET could reach. */
export function prepareOperation(
  { prepare }: OperationOptions,
  { place, methods }: { readonly place: Place; readonly methods: readonly string[] },
): StoredOperation {
  const operation = prepare(place)
  const safe = methods.length === 0 || methods.some((method) => !changing.has(method))
  if (operation.type === 'mutation' && safe)
    throw new Mistake(['operation'], `a mutation is for routes whose methods are ${[...changing].join(', ')}`)
  return operation
}

/** What an answer says, and with which errors. Throws the GatewayError that the whole failed with. */
export function answerOf(
  { data, errors }: OperationAnswer,
  { at, partial }: Pick<OperationOptions, 'at' | 'partial'>,
): OperationAnswer {
  const value = at === undefined ? data : valueAt(data, at.split('.'))
  const [first] = errors
  if (first !== undefined && (partial === 'refuse' || isNothing(value))) throw first.error
  if (value === null || value === undefined)
    throw new GatewayError(
      'NOT_FOUND',
      at === undefined ? 'There is no such thing.' : `There is no such ${at}.`,
    )
  return { data: value, errors }
}

const changing: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

/** Data of which every field failed is no data. */
function isNothing(value: unknown): boolean {
  if (value === null || value === undefined) return true
  return (
    typeof value === 'object' && !Array.isArray(value) && Object.values(value).every((item) => item === null)
  )
}
