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
  return extensions
}

/** The `extensions` of an error with that reason, under the code of the reason's kind or another one. */
export function extensionsFor(reason: Reason, code?: string): ErrorExtensions {
  const { number, code: kind } = reasons[reason]
  return { code: code ?? codesByReason[reason] ?? codesByKind[kind], reason, number }
}

/** The whole body of a refused or failed exchange (GraphQL specification section 7.1.2: no `data`, nothing was executed). */
export function refusalBody(x: Exchange, error: GatewayError): string {
  const extensions = identified(x, extensionsOf(error))
  return JSON.stringify({ errors: [{ message: error.message, extensions }] })
}

/** Adds the ids by which a user's report is found in the log. */
export function identified(x: Exchange, extensions: Record<string, unknown>): Record<string, unknown> {
  extensions.requestId = x.id
  extensions.traceId = x.trace.traceId
  return extensions
}

/**
 * An error as Apollo Server made it, in our words: those that came from a subgraph or a failed call are ready (they have a
 * `reason`), those of parsing and validation get one, and what nobody expected is masked.
 */
export function spellError(error: GraphQLFormattedError, hideSuggestions: boolean): GraphQLFormattedError {
  const { code, reason, validationErrorCode } = error.extensions ?? {}
  if (typeof reason === 'string' && Object.hasOwn(reasons, reason)) return error
  const known =
    typeof code === 'string' && Object.hasOwn(reasonsByCode, code) ? reasonsByCode[code] : undefined
  if (known === undefined) {
    return {
      ...error,
      message: 'The gateway failed while it handled the request.',
      extensions: extensionsFor('INTERNAL'),
    }
  }
  const extensions = extensionsFor(known, code as string)
  if (validationErrorCode === 'INTROSPECTION_DISABLED') {
    return {
      ...error,
      message: 'Introspection is switched off.',
      extensions: { ...extensions, validationErrorCode },
    }
  }
  const message = hideSuggestions ? error.message.replace(/ ?Did you mean [^?]*\?/, '') : error.message
  return { ...error, message, extensions }
}

/** What Apollo Server itself refuses, by its codes. */
const reasonsByCode: Readonly<Record<string, Reason>> = {
  GRAPHQL_PARSE_FAILED: 'GRAPHQL_PARSE_FAILED',
  GRAPHQL_VALIDATION_FAILED: 'GRAPHQL_VALIDATION_FAILED',
  OPERATION_RESOLUTION_FAILURE: 'GRAPHQL_VALIDATION_FAILED',
  BAD_USER_INPUT: 'INVALID_ARGUMENT',
  BAD_REQUEST: 'MALFORMED_REQUEST',
  PERSISTED_QUERY_NOT_SUPPORTED: 'NOT_IMPLEMENTED',
}

const codesByReason: Partial<Readonly<Record<Reason, string>>> = {
  GRAPHQL_PARSE_FAILED: 'GRAPHQL_PARSE_FAILED',
  GRAPHQL_VALIDATION_FAILED: 'GRAPHQL_VALIDATION_FAILED',
  GRAPHQL_LIMIT_EXCEEDED: 'GRAPHQL_VALIDATION_FAILED',
  INVALID_ARGUMENT: 'BAD_USER_INPUT',
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
