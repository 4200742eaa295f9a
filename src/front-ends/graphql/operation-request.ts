import { hasDuplicateMembers } from '../../core/duplicate-members.ts'
import { GatewayError } from '../../core/error.ts'
import type { HttpExchange } from '../../core/http-exchange.ts'
import { isRecord } from '../../core/is-record.ts'
import { maxJsonDepth, shallowerThan } from '../../core/json-value.ts'
import { readJsonText } from '../json-body.ts'
import { refuseForgeable } from './requests/forgery.ts'

/** The parameters of a GraphQL request (GraphQL over HTTP, section "Request parameters"). */
export interface OperationRequest {
  readonly query?: string
  readonly operationName?: string
  readonly variables?: Readonly<Record<string, unknown>>
  readonly extensions?: Readonly<Record<string, unknown>>
}

/**
 * Reads a GraphQL request from the query string (GET) or a JSON body (POST) and checks its shape. Throws GatewayErrors: CSRF_REFUSED,
 * UNSUPPORTED_MEDIA_TYPE, BODY_TOO_LARGE, INVALID_BODY, INVALID_ARGUMENT.
 */
export async function readOperation(x: HttpExchange, maxBodyBytes: number): Promise<OperationRequest> {
  refuseForgeable(x)
  const request =
    x.request.method === 'POST' ? await readJson(x, maxBodyBytes) : readQueryString(x.request.query)
  if (request.query === undefined && request.extensions?.persistedQuery === undefined) {
    throw invalid('"query" is missing.')
  }
  return request
}

async function readJson(x: HttpExchange, maxBodyBytes: number): Promise<OperationRequest> {
  const text = await readJsonText(x, maxBodyBytes)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new GatewayError('INVALID_BODY', 'The body is not valid JSON.', { cause })
  }
  if (!shallowerThan(value, maxJsonDepth + 2))
    throw invalid(`The body is nested more than ${maxJsonDepth} levels deep.`)
  // Who reads a name twice reads it differently: RFC 8259 section 4. What was written as we write it has none.
  if (JSON.stringify(value) !== text && hasDuplicateMembers(text))
    throw invalid('An object of the body has two members of one name.')
  if (Array.isArray(value)) throw invalid('Batches are not supported: send one operation per request.')
  if (!isRecord(value)) throw invalid('The body must be a JSON object.')
  return shaped(value)
}

function readQueryString(text: string): OperationRequest {
  const found: Record<string, unknown> = {}
  const parameters = new URLSearchParams(text)
  for (const name of names) {
    const values = parameters.getAll(name)
    if (values.length > 1) throw invalid(`"${name}" is given more than once.`)
    const [value] = values
    if (value === undefined) continue
    found[name] = name === 'query' || name === 'operationName' ? value : parsed(name, value)
  }
  return shaped(found)
}

const names = ['query', 'operationName', 'variables', 'extensions'] as const

function parsed(name: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new GatewayError('INVALID_ARGUMENT', `"${name}" is not valid JSON.`, { cause })
  }
}

function shaped(value: Readonly<Record<string, unknown>>): OperationRequest {
  const { query, operationName, variables, extensions } = value
  if (query !== undefined && query !== null && typeof query !== 'string')
    throw invalid('"query" must be a string.')
  if (operationName !== undefined && operationName !== null && typeof operationName !== 'string') {
    throw invalid('"operationName" must be a string.')
  }
  return {
    ...(query ? { query } : {}),
    ...(operationName ? { operationName } : {}),
    ...record('variables', variables),
    ...record('extensions', extensions),
  }
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
