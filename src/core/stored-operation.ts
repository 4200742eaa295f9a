import type { CallLimits } from './call-limits.ts'
import type { GatewayError } from './error.ts'
import type { HttpExchange } from './http-exchange.ts'

/** A GraphQL operation of the configuration, checked against limits and schema, ready to run for any exchange. */
export interface StoredOperation {
  readonly type: 'query' | 'mutation'
  /** `''` when it has none. */
  readonly name: string
  /** Each fetch has the limits. Rejects with a GatewayError for variables that do not fit; what fails later is among the errors. */
  run(x: HttpExchange, limits: CallLimits): Promise<OperationAnswer>
}

/** What an operation came to. */
export interface OperationAnswer {
  /** An object, null or undefined. */
  readonly data: unknown
  readonly errors: readonly OperationError[]
}

/** An error of a GraphQL answer, as one of the gateway. */
export interface OperationError {
  readonly error: GatewayError
  /** Where in the data: `user.reviews`; undefined: nowhere. */
  readonly path: string | undefined
}
