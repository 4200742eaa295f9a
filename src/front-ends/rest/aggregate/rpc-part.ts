import type { HttpExchange } from '../../../core/http-exchange.ts'
import { compileJson } from '../../../core/json-template.ts'
import { parseJson } from '../../../core/json-value.ts'
import { within } from '../../../core/mistake.ts'
import type { Place } from '../../../core/text-template.ts'
import { type PartLimits, type RunPart, refusedPart } from './part.ts'

/** A unary method of a gRPC service. */
export interface UnaryMethod {
  /** Throws a Mistake for a member that the request message has not. */
  check(request: Readonly<Record<string, unknown>>): void
  /** Calls it with ProtoJSON. Rejects with a GatewayError for what does not fit the message, and for a call that failed. */
  call(x: HttpExchange, request: string, limits: PartLimits): Promise<UnaryOutcome>
}

/** What a method answered: a message as ProtoJSON, or a status of gRPC, spelled for HTTP. */
export type UnaryOutcome = { readonly json: string } | { readonly status: number; readonly message: string }

/** One gRPC call of an aggregation. */
export interface RpcPartOptions {
  readonly method: UnaryMethod
  /** ProtoJSON in whose texts values may stand. */
  readonly request: Readonly<Record<string, unknown>>
}

/** Compiles a gRPC part. Throws a Mistake for values that the place has not, and members that the message has not. */
export function compileRpcPart({ method, request }: RpcPartOptions, place: Place): RunPart {
  const message = within(['request'], () => {
    method.check(request)
    return compileJson(request, place)
  })
  return async (x, limits) => {
    const outcome = await method.call(x, JSON.stringify(message(x)), limits)
    if ('status' in outcome) throw refusedPart(outcome.status, outcome.message)
    return { value: parseJson(outcome.json) }
  }
}
