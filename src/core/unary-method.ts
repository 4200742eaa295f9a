import type { BackendRefusal } from './backend-refusal.ts'
import type { CallLimits } from './call-limits.ts'
import type { Exchange } from './exchange.ts'
import type { MessageShape } from './message-shape.ts'
import type { Place } from './text-template.ts'

/** A unary method of a gRPC service that another place than the service's own rows calls. */
export interface UnaryMethod {
  /** What it takes and answers; undefined while its backend has not described it. */
  readonly shapes: { readonly input: MessageShape; readonly output: MessageShape } | undefined
  /**
   * Compiles a request: ProtoJSON with values in its texts, which are read before the call returns its promise. Throws a Mistake for what
   * the message or the place has not.
   */
  prepare(request: Readonly<Record<string, unknown>>, place: Place, options?: UnaryOptions): UnaryCall
}

/** How a method is called. */
export interface UnaryOptions {
  /** Whether doing it twice is the same as once. Default: as the proto says. */
  readonly idempotent?: boolean
  /** Whether the answer has every field, under its JSON name, enums by name. Default: as the service's `json` says. */
  readonly whole?: boolean
}

/** Makes the call of one exchange. Rejects with a GatewayError for values that do not fit the message, and for a call that failed. */
export type UnaryCall = (x: Exchange, limits: CallLimits) => Promise<UnaryOutcome>

/** What a method answered: a message as ProtoJSON, or a status other than OK. */
export type UnaryOutcome = { readonly json: string } | BackendRefusal
