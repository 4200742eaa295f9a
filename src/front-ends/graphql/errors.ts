import type { GraphQLFormattedError } from 'graphql'
import { type GatewayError, retryAfterSeconds } from '../../core/error.ts'
import type { Exchange } from '../../core/exchange.ts'
import { type Reason, reasons } from '../../core/reason.ts'
import { CostExceeded } from './cost/cost-exceeded.ts'

/** What every error of an answer carries in `extensions`. */
export interface ErrorExtensions {
  /** A word that users of Apollo know (`UNAUTHENTICATED`, `BAD_USER_INPUT`), or the subgraph's own. */
  code: string
  reason: Reason
  /** `F40001` and the like; docs/errors.md lists them. */
  number: string
  [more: string]: unknown
}

/** The `extensions` of an error of the gateway's own. */
export function extensionsOf(error: GatewayError): ErrorExtensions {
  const extensions = extensionsFor(error.reason)
  if (error.retryAfterMs !== undefined) extensions.retryAfter = retryAfterSeconds(error.retryAfterMs)
  if (error.violations.length > 0) extensions.violations = error.violations
  if (error instanceof CostExceeded) {
    extensions.cost = error.cost
    extensions.limit = error.limit
  }
  return Object.assign(extensions, told.get(error))
}

/** Has clients told something more of an error, among its `extensions`. */
export function tellMore(error: GatewayError, extensions: Readonly<Record<string, unknown>>): void {
  told.set(error, extensions)
}

const told = new WeakMap<GatewayError, Readonly<Record<string, unknown>>>()

/** The `extensions` of an error with that reason, under the code of the reason's kind or another one. */
export function extensionsFor(reason: Reason, code?: string): ErrorExtensions {
  const { number, code: kind } = reasons[reason]
  return { code: code ?? codesByReason[reason] ?? codesByKind[kind], reason, number }
}

/** The whole body of a refused or failed exchange (GraphQL specification section 7.1.2: no `data`, nothing was executed). */
export function refusalBody(x: Exchange, error: GatewayError): string {
  return JSON.stringify({ errors: refusalErrors(x, error) })
}

/** The errors of a refused or failed operation. */
export function refusalErrors(x: Exchange, error: GatewayError): GraphQLFormattedError[] {
  const errors =
    'errors' in error && Array.isArray(error.errors)
      ? (error as GatewayError & { errors: readonly GraphQLFormattedError[] }).errors
      : [{ message: error.message, extensions: extensionsOf(error) }]
  return identifiedErrors(x, errors)
}

/** Adds to each error the ids by which a user's report is found in the log. */
export function identifiedErrors(
  x: Exchange,
  errors: readonly GraphQLFormattedError[],
): GraphQLFormattedError[] {
  return errors.map((error) => ({ ...error, extensions: identified(x, { ...error.extensions }) }))
}

function identified(x: Exchange, extensions: Record<string, unknown>): Record<string, unknown> {
  extensions.requestId = x.id
  extensions.traceId = x.trace.traceId
  return extensions
}

const codesByReason: Partial<Readonly<Record<Reason, string>>> = {
  GRAPHQL_PARSE_FAILED: 'GRAPHQL_PARSE_FAILED',
  GRAPHQL_VALIDATION_FAILED: 'GRAPHQL_VALIDATION_FAILED',
  GRAPHQL_LIMIT_EXCEEDED: 'GRAPHQL_VALIDATION_FAILED',
  PLANNING_LIMIT_EXCEEDED: 'GRAPHQL_VALIDATION_FAILED',
  INVALID_ARGUMENT: 'BAD_USER_INPUT',
  PERSISTED_QUERY_NOT_FOUND: 'PERSISTED_QUERY_NOT_FOUND',
  RATE_LIMITED: 'RATE_LIMITED',
  METHOD_NOT_ALLOWED: 'BAD_REQUEST',
}

const codesByKind = {
  canceled: 'CLIENT_CLOSED_REQUEST',
  unknown: 'INTERNAL_SERVER_ERROR',
  invalid_argument: 'BAD_REQUEST',
  deadline_exceeded: 'TIMEOUT',
  not_found: 'NOT_FOUND',
  already_exists: 'CONFLICT',
  permission_denied: 'FORBIDDEN',
  resource_exhausted: 'LIMIT_EXCEEDED',
  failed_precondition: 'BAD_REQUEST',
  aborted: 'CONFLICT',
  out_of_range: 'BAD_USER_INPUT',
  unimplemented: 'NOT_IMPLEMENTED',
  internal: 'INTERNAL_SERVER_ERROR',
  unavailable: 'SERVICE_UNAVAILABLE',
  data_loss: 'INTERNAL_SERVER_ERROR',
  unauthenticated: 'UNAUTHENTICATED',
} as const satisfies Readonly<Record<GatewayError['code'], string>>
