import type { CallLimits } from './call-limits.ts'
import type { HttpExchange } from './http-exchange.ts'
import type { Place } from './text-template.ts'

/** A unary method of a gRPC service that another place than the service's own rows calls. */
export interface UnaryMethod {
  /** Compiles a request: ProtoJSON with values in its texts. Throws a Mistake for what the message or the place has not. */
  prepare(request: Readonly<Record<string, unknown>>, place: Place): UnaryCall
}

/** Makes the call of one exchange. Rejects with a GatewayError for values that do not fit the message, and for a call that failed. */
export type UnaryCall = (x: HttpExchange, limits: CallLimits) => Promise<UnaryOutcome>

/** What a method answered: a message as ProtoJSON, or a status other than OK, as one of HTTP and as text. */
export type UnaryOutcome = { readonly json: string } | { readonly status: number; readonly message: string }
