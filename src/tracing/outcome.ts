import type { GatewayError } from '../core/error.ts'
import type { Exchange } from '../core/exchange.ts'
import { rpcStatusName } from './server-attributes.ts'

/** How something failed: `error.type`, and a sentence that strangers may read. */
export interface Outcome {
  readonly type: string
  readonly message?: string | undefined
}

/**
 * Of the server's side, on which mistakes of clients are no failures: 5xx (semantic conventions, "HTTP server"), the codes of gRPC that blame
 * the server ("RPC server"), a GraphQL answer with errors. Undefined: nothing failed.
 */
export function exchangeOutcome({ status, error, attributes }: Exchange): Outcome | undefined {
  const { 'rpc.grpc.status_code': rpcStatus, 'graphql.errors': graphqlErrors = 0 } = attributes
  if (error !== undefined && error.status >= 500) return { type: error.reason, message: error.message }
  if (typeof rpcStatus === 'number' && serverFailures.has(rpcStatus))
    return { type: rpcStatusName(rpcStatus) }
  if (status >= 500) return { type: String(status) }
  return Number(graphqlErrors) > 0 && error === undefined ? { type: 'graphql_errors' } : undefined
}

/** Of the client's side, on which whatever is no success has failed. Undefined: nothing failed. */
export function attemptOutcome({ isRpc, status, error }: Answer): Outcome | undefined {
  const message = error?.message
  if (status !== undefined && isRpc && status !== 0) return { type: rpcStatusName(status), message }
  if (status !== undefined && !isRpc && status >= 400) return { type: String(status), message }
  return error === undefined ? undefined : { type: error.reason, message }
}

/** How a call or an attempt went. */
interface Answer {
  readonly isRpc: boolean
  readonly status: number | undefined
  readonly error: GatewayError | undefined
}

/** UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS */
const serverFailures: ReadonlySet<number> = new Set([2, 4, 12, 13, 14, 15])
