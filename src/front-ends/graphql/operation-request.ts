import { isDeeperText, jsonSize, membersWritten } from '../../core/duplicate-members.ts'
import { GatewayError } from '../../core/error.ts'
import type { HttpExchange } from '../../core/http-exchange.ts'
import { isRecord } from '../../core/is-record.ts'
import { maxJsonDepth } from '../../core/json-value.ts'
import { essence } from '../../core/media-type.ts'
import type { Reason } from '../../core/reason.ts'
import { readJsonText } from '../json-body.ts'
import { type BatchOptions, checkBatch } from './requests/batch.ts'
import { refuseForgeable } from './requests/forgery.ts'
import { readUpload } from './requests/uploads/read-upload.ts'
import type { UploadLimits, Uploads } from './requests/uploads/uploads.ts'

/** The parameters of a GraphQL request (GraphQL over HTTP, section "Request parameters"). */
export interface OperationRequest {
  readonly query?: string | undefined
  /** Stands for a document (GraphQL over HTTP, proposal "Persisted Documents"). */
  readonly documentId?: string | undefined
  readonly operationName?: string | undefined
  readonly variables?: Readonly<Record<string, unknown>> | undefined
  readonly extensions?: Readonly<Record<string, unknown>> | undefined
  /** Files that belong into the variables. */
  readonly uploads?: Uploads | undefined
}

/** How much a client may send at once. */
export interface RequestLimits {
  readonly bodyBytes: number
  /** Undefined: no batches. */
  readonly batching: BatchOptions | undefined
  /** Undefined: no files. */
  readonly uploads: UploadLimits | undefined
}

/**
 * Reads a GraphQL request from the query string (GET) or a JSON body or a form with files (POST) and checks its shape; a list is a batch. Throws GatewayErrors: CSRF_REFUSED,
 * UNSUPPORTED_MEDIA_TYPE, BODY_TOO_LARGE, INVALID_BODY, INVALID_ARGUMENT, GRAPHQL_LIMIT_EXCEEDED.
 */
export async function readRequest(
  x: HttpExchange,
  limits: RequestLimits,
): Promise<OperationRequest | readonly OperationRequest[]> {
  refuseForgeable(x)
  if (x.request.method !== 'POST') return readQueryString(x.request.query)
  const { bodyBytes, batching, uploads: files } = limits
  if (files === undefined || essence(x.header('content-type') ?? '') !== 'multipart/form-data')
    return shapedBody(await readJson(x, bodyBytes), batching)
  const { operations, uploads } = await readUpload(x, {
    limits: files,
    fieldBytes: bodyBytes,
    parse: parseJson,
  })
  return { ...shaped(operations), uploads }
}

/** Whether a client sent several operations at once. */
export function isBatch(
  request: OperationRequest | readonly OperationRequest[],
): request is readonly OperationRequest[] {
  return Array.isArray(request)
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
  return parseJson(await readJsonText(x, maxBodyBytes))
}

/** Parses JSON that can be read in one way only; `what`: its name for messages. Throws `reason`, INVALID_ARGUMENT. */
export function parseJson(text: string, what = 'The body', reason: Reason = 'INVALID_BODY'): unknown {
  // To parse what is nested hundreds of thousands of levels deep holds everybody up.
  if (text.length > 65_536 && isDeeperText(text, maxJsonDepth)) throw tooDeep(what)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new GatewayError(reason, `${what} is not valid JSON.`, { cause })
  }
  const { members, levels } = jsonSize(value, maxJsonDepth)
  if (levels > maxJsonDepth) throw tooDeep(what)
  // Who reads a name twice reads it differently: RFC 8259 section 4.
  if (members !== membersWritten(text)) throw invalid(`${what} has an object with two members of one name.`)
  return value
}

function tooDeep(what: string): GatewayError {
  return invalid(`${what} is nested more than ${maxJsonDepth} levels deep.`)
}

function readQueryString(text: string): OperationRequest {
  const found: Record<string, unknown> = {}
  const parameters = new URLSearchParams(text)
  for (const name of names) {
    const values = parameters.getAll(name)
    if (values.length > 1) throw invalid(`"${name}" is given more than once.`)
    const [value] = values
    if (value === undefined) continue
    if (value.includes('\uFFFD') && !isUtf8Encoded(text)) throw invalid(`"${name}" is not valid UTF-8.`)
    found[name] =
      name === 'variables' || name === 'extensions'
        ? parseJson(value, `"${name}"`, 'INVALID_ARGUMENT')
        : value
  }
  return shaped(found)
}

/** Parsers of query strings put U+FFFD where bytes are no UTF-8. */
function isUtf8Encoded(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

const names = ['query', 'documentId', 'operationName', 'variables', 'extensions'] as const

function shaped(value: Readonly<Record<string, unknown>>): OperationRequest {
  return {
    query: text('query', value.query),
    documentId: text('documentId', value.documentId),
    operationName: text('operationName', value.operationName),
    variables: record('variables', value.variables),
    extensions: record('extensions', value.extensions),
  }
}

/** Null and the empty text are nothing. */
function text(name: string, value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value !== 'string') throw invalid(`"${name}" must be a string.`)
  return value
}

function record(name: string, value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (value === undefined || value === null) return undefined
  if (!isRecord(value)) throw invalid(`"${name}" must be an object.`)
  return value
}

function invalid(message: string): GatewayError {
  return new GatewayError('INVALID_ARGUMENT', message)
}
