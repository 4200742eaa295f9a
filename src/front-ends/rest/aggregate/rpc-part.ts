import type { BackendRefusal } from '../../../core/backend-refusal.ts'
import { parseJson } from '../../../core/json-value.ts'
import { within } from '../../../core/mistake.ts'
import type { Place } from '../../../core/text-template.ts'
import type { UnaryMethod } from '../../../core/unary-method.ts'
import { type RunPart, refusedPart } from './part.ts'

/** One gRPC call of an aggregation. */
export interface RpcPartOptions {
  readonly method: UnaryMethod
  /** ProtoJSON in whose texts values may stand. */
  readonly request: Readonly<Record<string, unknown>>
}

/** Compiles a gRPC part. Throws a Mistake for values that the place has not, and members that the message has not. */
export function compileRpcPart({ method, request }: RpcPartOptions, place: Place): RunPart {
  const call = within(['request'], () => method.prepare(request, place))
  return async (x, limits) => {
    const outcome = await call(x, limits)
    if ('status' in outcome) throw refusedPart(outcome.status, failureText(outcome))
    return { value: parseJson(outcome.json) }
  }
}

function failureText({ message, said }: BackendRefusal): string {
  return said === '' ? message : `${message}: ${said}`
}
