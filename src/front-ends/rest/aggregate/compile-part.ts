import { within } from '../../../core/mistake.ts'
import type { Place } from '../../../core/text-template.ts'
import type { HttpCallOptions } from '../compile-call.ts'
import { answerOf, type OperationOptions, prepareOperation } from '../stored-operation.ts'
import type { RunPart } from './part.ts'
import { compileRestPart } from './rest-part.ts'
import { compileRpcPart, type RpcPartOptions } from './rpc-part.ts'
import { compileSelection } from './selection.ts'

/** One part of an aggregation, as configured. */
export interface PartOptions {
  readonly name: string
  readonly call: PartCallOptions
  /** Names of the parts that it waits for. */
  readonly dependsOn: readonly string[]
  /** For this part; undefined: what is left of the whole. */
  readonly timeoutMs: number | undefined
  /** Whether the answer is given without it. */
  readonly optional: boolean
  /** What clients get of it; empty: all. */
  readonly select: readonly string[]
  /** Its member of the answer; undefined: its own members stand at the top. */
  readonly as: string | undefined
}

/** What a part calls. */
export type PartCallOptions =
  | ({ readonly kind: 'rest' } & HttpCallOptions)
  | ({ readonly kind: 'grpc' } & RpcPartOptions)
  | ({ readonly kind: 'graphql' } & OperationOptions)

/** One part, ready to run. */
export interface CompiledPart extends Omit<PartOptions, 'call' | 'select'> {
  readonly run: RunPart
  select(value: unknown): unknown
}

/** Compiles a part of a route with these methods. Throws a Mistake. */
export function compilePart(
  { call, select, ...part }: PartOptions,
  route: { readonly place: Place; readonly methods: readonly string[] },
): CompiledPart {
  return {
    ...part,
    run: within([call.kind], () => compileCall(call, route)),
    select: compileSelection(select),
  }
}

function compileCall(
  call: PartCallOptions,
  route: { readonly place: Place; readonly methods: readonly string[] },
): RunPart {
  if (call.kind === 'rest') return compileRestPart(call, route.place)
  if (call.kind === 'grpc') return compileRpcPart(call, route.place)
  const operation = prepareOperation(call, route)
  return async (x, limits) => {
    const { data, errors } = answerOf(await operation.run(x, limits), call)
    return { value: data, failure: errors[0]?.error }
  }
}
