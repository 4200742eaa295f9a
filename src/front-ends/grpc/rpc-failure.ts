import { GatewayError } from '../../core/error.ts'
import type { RpcEnd } from './channel.ts'

/** Google's number for "the deadline passed". Source: `google/rpc/code.proto`. */
const deadlineExceeded = 4
const canceled = 1

/** What is known of the call beside how it ended. */
export interface FailedCall {
  readonly upstreamName: string
  /** Whether the client set the deadline that passed (`Grpc-Timeout`). */
  readonly clientDeadline: boolean
  readonly clientGone: boolean
}

/**
 * What it means that a call ended without a word from the backend: which reason, and whether the backend may have seen it. The
 * channel says it in prose only, which is read here and nowhere else.
 */
export function rpcFailure(
  { code, message }: RpcEnd,
  { upstreamName: name, clientDeadline, clientGone }: FailedCall,
): GatewayError {
  const cause = new Error(message)
  if (clientGone) return new GatewayError('CLIENT_GONE', 'The client closed the connection.', { cause })
  if (code === deadlineExceeded) {
    const reached = !/LB pick|name resolution: *$/i.test(message)
    return clientDeadline
      ? new GatewayError('DEADLINE_EXCEEDED', 'The time that Grpc-Timeout gave ran out.', { cause, reached })
      : new GatewayError('UPSTREAM_TIMEOUT', `Upstream "${name}" did not answer in time.`, { cause, reached })
  }
  if (/Stream refused by server/.test(message)) {
    return new GatewayError('UPSTREAM_RESET', `Upstream "${name}" refused the call.`, {
      cause,
      reached: false,
    })
  }
  if (/Name resolution failed|ENOTFOUND|EAI_AGAIN/.test(message)) {
    const said = `The name of upstream "${name}" cannot be resolved.`
    return new GatewayError('UPSTREAM_DNS', said, { cause, reached: false })
  }
  if (message.startsWith('No connection established')) return notConnected(name, cause)
  if (/^Received (HTTP status code|message larger)|^No status information/.test(message)) {
    return new GatewayError('UPSTREAM_BAD_ANSWER', `Upstream "${name}" answered with something unreadable.`, {
      cause,
    })
  }
  if (code === canceled || /RST_STREAM|Connection dropped|(read|write) E|GOAWAY/.test(message)) {
    return new GatewayError('UPSTREAM_RESET', `Upstream "${name}" closed the connection.`, { cause })
  }
  return new GatewayError('UPSTREAM_BAD_ANSWER', `The call to upstream "${name}" failed.`, { cause })
}

function notConnected(name: string, cause: Error): GatewayError {
  const options = { cause, reached: false }
  if (/certificate|self-signed|SSL|TLS|EPROTO|altnames/i.test(cause.message)) {
    return new GatewayError('UPSTREAM_TLS', `TLS to upstream "${name}" failed.`, options)
  }
  if (/ETIMEDOUT|timed out/i.test(cause.message)) {
    return new GatewayError(
      'CONNECT_TIMEOUT',
      `Upstream "${name}" did not accept the connection in time.`,
      options,
    )
  }
  return new GatewayError('UPSTREAM_REFUSED', `Upstream "${name}" refused the connection.`, options)
}
