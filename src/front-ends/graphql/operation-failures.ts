import type { GraphQLFormattedError } from 'graphql'
import { GatewayError } from '../../core/error.ts'
import { type Reason, reasons } from '../../core/reason.ts'
import type { OperationError } from '../../core/stored-operation.ts'

/**
 * The errors of an answer in the gateway's words; `faults` are those that calls failed with, and know more than what clients are told. What
 * a subgraph said has the status of its code (NOT_FOUND: 404), of codes that nobody agreed on 502.
 */
export function operationFailures(
  errors: readonly GraphQLFormattedError[],
  faults: readonly GatewayError[],
): OperationError[] {
  return errors.map((error) => ({ error: failureOf(error, faults), path: error.path?.join('.') }))
}

function failureOf(
  { message, extensions = {} }: GraphQLFormattedError,
  faults: readonly GatewayError[],
): GatewayError {
  const reason = isReason(extensions.reason) ? extensions.reason : 'INTERNAL'
  const fault = faults.find((one) => one.reason === reason && one.message === message)
  if (fault !== undefined) return fault
  const status = reason === 'SUBGRAPH_ERROR' ? statuses[String(extensions.code)] : undefined
  return new GatewayError(reason, message, status === undefined ? {} : { status })
}

function isReason(value: unknown): value is Reason {
  return typeof value === 'string' && Object.hasOwn(reasons, value)
}

/** Codes that Apollo Server has, or that its users write; by the status of HTTP that says the same. */
const statuses: Readonly<Record<string, number | undefined>> = {
  BAD_USER_INPUT: 400,
  BAD_REQUEST: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
}
