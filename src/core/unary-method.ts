import type { CallLimits } from './call-limits.ts'
import type { HttpExchange } from './http-exchange.ts'

/** A unary method of a gRPC service that another place than the service's own rows calls. */
export interface UnaryMethod {
  /** Throws a Mistake for a member of ProtoJSON that the request message has not. */
  check(request: Readonly<Record<string, unknown>>): void
  /** Calls it with ProtoJSON. Rejects with a GatewayError for what does not fit the message, and for a call that failed. */
  call(x: HttpExchange, request: string, limits: CallLimits): Promise<UnaryOutcome>
}

/** What a method answered: a message as ProtoJSON, or a status other than OK, as one of HTTP and as text. */
export type UnaryOutcome = { readonly json: string } | { readonly status: number; readonly message: string }
