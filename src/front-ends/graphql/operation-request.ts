import { hasDuplicateMembers } from '../../core/duplicate-members.ts'
import { GatewayError } from '../../core/error.ts'
import type { HttpExchange } from '../../core/http-exchange.ts'
import { isRecord } from '../../core/is-record.ts'
import { maxJsonDepth, shallowerThan } from '../../core/json-value.ts'
import { readJsonText } from '../json-body.ts'
import { type BatchOptions, checkBatch } from './requests/batch.ts'
import { refuseForgeable } from './requests/forgery.ts'

/** The parameters of a GraphQL request (GraphQL over HTTP, section "Request parameters"). */
export interface OperationRequest {
  readonly query?: string
  /** Stands for a document (GraphQL over HTTP, proposal "Persisted Documents"). */
  readonly documentId?: string
  readonly operationName?: string
  readonly variables?: Readonly<Record<string, unknown>>
  readonly extensions?: Readonly<Record<string, unknown>>
}

/** How much a client may send at once. */
export interface RequestLimits {
  readonly bodyBytes: number
  /** Undefined: no batches. */
  readonly batching: BatchOptions | undefined
}

/**
 * Reads a GraphQL request from the query string (GET) or a JSON body (POST) and checks its shape; a list is a batch. Throws GatewayErrors: CSRF_REFUSED,
 * UNSUPPORTED_MEDIA_TYPE, BODY_TOO_LARGE, INVALID_BODY, INVALID_ARGUMENT, GRAPHQL_LIMIT_EXCEEDED.
 */
export async function readRequest(
  x: HttpExchange,
  limits: RequestLimits,
): Promise<OperationRequest | readonly OperationRequest[]> {
  refuseForgeable(x)
  if (x.request.method !== 'POST') return readQueryString(x.request.query)
  return shapedBody(await readJson(x, limits.bodyBytes), limits.batching)
}

/** The request or the batch that the value of a body is. Throws INVALID_ARGUMENT, GRAPHQL_LIMIT_EXCEEDED. */
export function shapedBody(
  value: unknown,
  batching: BatchOptions | undefined,
): OperationRequest | readonly OperationRequest[] {
  if (Array.isArray(value)) {
    checkBatch(value, batching)
    return value.map((one: unknown, index) => {
      if (!isRecord(one)) throw invalid(`Item ${index} of the list must be a JSON object.`)
      return shaped(one)
    })
  }
  if (!isRecord(value)) throw invalid('The body must be a JSON object.')
  return shaped(value)
}

async function readJson(x: HttpExchange, maxBodyBytes: number): Promise<unknown> {
  return parseBody(await readJsonText(x, maxBodyBytes))
}

/** Parses JSON that can be read in one way only. Throws INVALID_BODY, INVALID_ARGUMENT. */
export function parseBody(text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new GatewayError('INVALID_BODY', 'The body is not valid JSON.', { cause })
  }
  if (!shallowerThan(value, maxJsonDepth + 3))
    throw invalid(`The body is nested more than ${maxJsonDepth} levels deep.`)
  // Who reads a name twice reads it differently: RFC 8259 section 4. What was written as we write it has none.
  if (JSON.stringify(value) !== text && hasDuplicateMembers(text))
    throw invalid('An object of the body has two members of one name.')
  return value
}

function readQueryString(text: string): OperationRequest {
  const found: Record<string, unknown> = {}
  const parameters = new URLSearchParams(text)
  for (const name of names) {
    const values = parameters.getAll(name)
    if (values.length > 1) throw invalid(`"${name}" is given more than once.`)
    const [value] = values
    if (value === undefined) continue
    found[name] = name === 'variables' || name === 'extensions' ? parsed(name, value) : value
  }
  return shaped(found)
}

const names = ['query', 'documentId', 'operationName', 'variables', 'extensions'] as const

function parsed(name: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new GatewayError('INVALID_ARGUMENT', `"${name}" is not valid JSON.`, { cause })
  }
}

function shaped(value: Readonly<Record<string, unknown>>): OperationRequest {
  return {
    ...text('query', value.query),
    ...text('documentId', value.documentId),
    ...text('operationName', value.operationName),
    ...record('variables', value.variables),
    ...record('extensions', value.extensions),
  }
}

/** Null and the empty text are nothing. */
function text(name: 'query' | 'documentId' | 'operationName', value: unknown): Partial<OperationRequest> {
  if (value === undefined || value === null || value === '') return {}
  if (typeof value !== 'string') throw invalid(`"${name}" must be a string.`)
  return { [name]: value }
}

function record(
  name: 'variables' | 'extensions',
  value: unknown,
): Pick<OperationRequest, 'variables' | 'extensions'> {
  if (value === undefined || value === null) return {}
  if (!isRecord(value)) throw invalid(`"${name}" must be an object.`)
  if (!shallowerThan(value, maxJsonDepth))
    throw invalid(`"${name}" is nested more than ${maxJsonDepth} levels deep.`)
  return { [name]: value }
}

function invalid(message: string): GatewayError {
  return new GatewayError('INVALID_ARGUMENT', message)
}
