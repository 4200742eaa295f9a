import { errors } from 'undici'
import { GatewayError } from '../core/error.ts'
import type { Attempt } from './attempt.ts'
import { wasReused } from './http-connections.ts'

/** How far a request had come: it waited for a connection, it was put on one, its answer had begun. */
export type HttpProgress = 'waiting' | 'sent' | 'answered'

/** What an error of the HTTP client means: which reason, whether the upstream may have seen the request, and whether it is to blame. */
export function httpFailure(
  error: Error,
  { call, startedAt }: Attempt,
  progress: HttpProgress,
): GatewayError {
  const { upstreamName } = call
  const unreached = { cause: error, reached: false }
  const cause = progress === 'waiting' ? unreached : { cause: error }
  const code = errorCode(error)
  if (error instanceof errors.ConnectTimeoutError || code === 'ETIMEDOUT' || code === 'ECONNECT_TIMEOUT') {
    return new GatewayError(
      'CONNECT_TIMEOUT',
      `Upstream "${upstreamName}" did not accept the connection in time.`,
      unreached,
    )
  }
  if (error instanceof errors.HeadersTimeoutError) {
    return new GatewayError('UPSTREAM_TIMEOUT', `Upstream "${upstreamName}" did not answer in time.`, cause)
  }
  if (error instanceof errors.BodyTimeoutError) {
    return new GatewayError(
      'UPSTREAM_TIMEOUT',
      `Upstream "${upstreamName}" stopped in the middle of its answer.`,
      cause,
    )
  }
  if (code === 'ECONNREFUSED' || code === 'EHOSTUNREACH' || code === 'ENETUNREACH') {
    return new GatewayError(
      'UPSTREAM_REFUSED',
      `Upstream "${upstreamName}" refused the connection.`,
      unreached,
    )
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return new GatewayError(
      'UPSTREAM_DNS',
      `The name of upstream "${upstreamName}" cannot be resolved.`,
      unreached,
    )
  }
  if (/^(ERR_TLS_|ERR_SSL_|CERT_)/.test(code) || tlsCodes.has(code)) {
    return new GatewayError('UPSTREAM_TLS', `TLS to upstream "${upstreamName}" failed.`, unreached)
  }
  if (isReset(error, code)) {
    const refused = isGoaway(error)
    const stale = refused || (progress === 'sent' && wasReused(error, startedAt))
    return new GatewayError('UPSTREAM_RESET', `Upstream "${upstreamName}" closed the connection.`, {
      ...(refused ? unreached : cause),
      stale,
    })
  }
  return new GatewayError(
    'UPSTREAM_BAD_ANSWER',
    `Upstream "${upstreamName}" answered with something unreadable.`,
    cause,
  )
}

const tlsCodes = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'EPROTO',
])

/** undici calls an unexpected interim answer a SocketError too ("bad response", "bad upgrade"), and tells of HTTP/2 in prose. */
function isReset(error: Error, code: string): boolean {
  if (error instanceof errors.SocketError) return !error.message.startsWith('bad ')
  if (error instanceof errors.InformationalError) return error.message.startsWith('HTTP/2: ')
  return code === 'ECONNRESET' || code === 'EPIPE' || http2Resets.has(code)
}

/** A connection of HTTP/2 that goes away in good order did not take the request (RFC 9113 section 6.8). */
function isGoaway(error: Error): boolean {
  return error instanceof errors.InformationalError && error.message.startsWith('HTTP/2: "GOAWAY"')
}

/** The peer ended the stream or the connection before the answer was there. */
const http2Resets = new Set(['ERR_HTTP2_STREAM_ERROR', 'ERR_HTTP2_SESSION_ERROR', 'ERR_HTTP2_STREAM_CANCEL'])

function errorCode(error: Error): string {
  const { code } = error as { code?: unknown }
  if (error instanceof AggregateError && error.errors.length > 0) return errorCode(error.errors[0] as Error)
  return typeof code === 'string' ? code : ''
}
