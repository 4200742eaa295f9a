import { type Reason, reasons } from './reason.ts'
import type { Code, ReasonEntry } from './reason-entry.ts'

/** One invalid place of the input: a JSON pointer or parameter name, and what is wrong with it. */
export interface Violation {
  readonly field: string
  readonly detail: string
}

/** What a {@link GatewayError} may carry besides its reason and message. */
export interface GatewayErrorOptions {
  /** What went wrong inside; for the log, never for a client. */
  readonly cause?: unknown
  /** When a retry makes sense, in milliseconds from now; becomes `Retry-After`. */
  readonly retryAfterMs?: number
  /** Whether the upstream may have seen the request. Default true: without proof, assume that it did. */
  readonly reached?: boolean
  /** Whether all that happened is that the upstream closed an idle connection as the request went out on it; nobody is to blame. */
  readonly stale?: boolean
  /** Headers that belong to the refusal (`Allow`, `WWW-Authenticate`), flat: name, value, name, value. */
  readonly headers?: readonly string[]
  readonly violations?: readonly Violation[]
  /** HTTP status instead of that of the reason: where what a backend said is passed on. */
  readonly status?: number
}

/** The only error that reaches clients. The message may be read by strangers; the cause goes to the log only. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError'
  readonly reason: Reason
  readonly retryAfterMs: number | undefined
  readonly reached: boolean
  readonly stale: boolean
  readonly headers: readonly string[]
  readonly violations: readonly Violation[]
  /** Of HTTP. */
  readonly status: number

  constructor(reason: Reason, message: string, options: GatewayErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.reason = reason
    this.retryAfterMs = options.retryAfterMs
    this.reached = options.reached ?? true
    this.stale = options.stale ?? false
    this.headers = options.headers ?? noHeaders
    this.violations = options.violations ?? noViolations
    this.status = options.status ?? reasons[reason].status
  }

  /** How this error is spelled on each protocol. */
  get entry(): ReasonEntry {
    return reasons[this.reason]
  }

  get code(): Code {
    return reasons[this.reason].code
  }
}

/** Any thrown value as a {@link GatewayError}; what is not one becomes INTERNAL with the value as cause. */
export function toGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown
  return new GatewayError('INTERNAL', 'The gateway failed while it handled the request.', { cause: thrown })
}

/** What an exchange fails with whose client has left. */
export function clientGone(cause?: unknown): GatewayError {
  const options = cause === undefined ? {} : { cause }
  return new GatewayError('CLIENT_GONE', 'The client closed the connection.', options)
}

/** HTTP `Retry-After` for a wait: whole seconds, rounded up, at least 1 (RFC 9110 section 10.2.3). */
export function retryAfterSeconds(retryAfterMs: number): number {
  return Math.max(1, Math.ceil(retryAfterMs / 1000))
}

/** Headers that every protocol's refusal carries: Retry-After, Proxy-Status (RFC 9209), and the error's own; flat. */
export function refusalHeaders(error: GatewayError): string[] {
  const headers = [...error.headers]
  if (error.retryAfterMs !== undefined)
    headers.push('Retry-After', String(retryAfterSeconds(error.retryAfterMs)))
  const { proxyStatus } = error.entry
  if (proxyStatus !== undefined) headers.push('Proxy-Status', `trivium; error=${proxyStatus}`)
  return headers
}

const noHeaders: readonly string[] = []
const noViolations: readonly Violation[] = []
