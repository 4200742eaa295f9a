import type { GatewayError } from '../../../core/error.ts'
import { InvalidOperation } from '../invalid-operation.ts'
import type { AnswerType } from '../media-type.ts'
import type { OperationResult } from '../operation.ts'

/**
 * The status of a refusal. A client that takes `application/json` only reads an answer of GraphQL in it when the status is 200, so a request that is
 * one, with an operation that is none, gets that (GraphQL over HTTP, September 2026, appendix "application/json responses").
 */
export function refusalStatus(error: GatewayError, type: AnswerType): number {
  return type === 'application/json' && isAboutOperation(error) ? 200 : error.entry.status
}

/** The status of a result: 294 says that parts of it failed, to who knows of it (GraphQL over HTTP, September 2026, section "Status codes"). */
export function resultStatus({ data, errors }: OperationResult, type: AnswerType): number {
  if (type === 'application/json' || errors.length === 0) return 200
  return data === undefined ? 500 : 294
}

function isAboutOperation(error: GatewayError): boolean {
  return error instanceof InvalidOperation || operationReasons.has(error.reason)
}

/** Limits are not among them: an answer of 200 would hide an attack from those who count statuses. */
const operationReasons = new Set(['GRAPHQL_VALIDATION_FAILED', 'PERSISTED_QUERY_NOT_FOUND'])
