import { GatewayError } from '../../core/error.ts'
import type { RpcEnd } from './channel.ts'

/** What is known of the call beside how it ended. */
export interface FailedCall {
  readonly upstreamName: string
  /** Whether the client set the deadline that passed (`Grpc-Timeout`, `Connect-Timeout-Ms`). */
  readonly clientDeadline: boolean
}

/** What it means that a call ended without a word from the backend: which reason, and whether the backend may have seen it. */
export function rpcFailure(
  { failure, message, reached, stale }: RpcEnd,
  { upstreamName: name, clientDeadline }: FailedCall,
): GatewayError {
  const options = { cause: new Error(message), reached, stale }
  switch (failure) {
    case 'deadline':
      return clientDeadline
        ? new GatewayError('DEADLINE_EXCEEDED', 'The time that the client gave ran out.', options)
        : new GatewayError('UPSTREAM_TIMEOUT', `Upstream "${name}" did not answer in time.`, options)
    case 'refused':
      return new GatewayError('UPSTREAM_REFUSED', `Upstream "${name}" refused the connection.`, options)
    case 'connectTimeout':
      return new GatewayError(
        'CONNECT_TIMEOUT',
        `Upstream "${name}" did not accept the connection in time.`,
        options,
      )
    case 'dns':
      return new GatewayError('UPSTREAM_DNS', `The name of upstream "${name}" cannot be resolved.`, options)
    case 'tls':
      return new GatewayError('UPSTREAM_TLS', `TLS to upstream "${name}" failed.`, options)
    case 'refusedStream':
      return new GatewayError('UPSTREAM_RESET', `Upstream "${name}" refused the call.`, options)
    case 'reset':
    case 'cancelled':
      return new GatewayError('UPSTREAM_RESET', `Upstream "${name}" closed the connection.`, options)
    case 'tooLarge':
      return new GatewayError(
        'UPSTREAM_TOO_LARGE',
        `The answer of upstream "${name}" is above the limits.`,
        options,
      )
    case 'requestTooLarge':
      return new GatewayError('BODY_TOO_LARGE', 'The request message is too large.', options)
  }
  return new GatewayError(
    'UPSTREAM_BAD_ANSWER',
    `Upstream "${name}" answered with something unreadable.`,
    options,
  )
}
