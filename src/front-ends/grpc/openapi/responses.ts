import type { DescField } from '@bufbuild/protobuf'
import { asksForSomething } from '../../../core/authorization.ts'
import type { Policy } from '../../../core/route.ts'
import type { Binding } from '../binding.ts'
import type { FieldPath } from '../field-path.ts'
import { isHttpBody } from '../http-body.ts'
import type { Schema } from './scalar-schema.ts'
import type { Schemas } from './schemas.ts'

/** The name of the component that ends a stream which fails late. */
export const streamErrorName = 'gateway.StreamError'

/** What a request carries: the message, one of its fields, raw bytes, or (client streams) one message after another. */
export function requestContent(binding: Binding, schemas: Schemas): Schema | undefined {
  const {
    body,
    method: { desc },
  } = binding
  if (body === undefined) return undefined
  const isRaw = body === '*' ? isHttpBody(desc.input) : isRawField(body)
  if (isRaw) return raw
  const schema = bodySchema(body, binding, schemas)
  const streams = desc.methodKind === 'client_streaming' || desc.methodKind === 'bidi_streaming'
  return streams ? streamed(schema) : { 'application/json': { schema } }
}

function bodySchema(body: '*' | DescField, { method, variables }: Binding, schemas: Schemas): Schema {
  const parents = body === '*' ? [] : [body]
  const isWithin = (path: FieldPath): boolean =>
    path.parents.length === parents.length && path.parents.every((parent, index) => parent === parents[index])
  const setByPath = new Set(variables.flatMap(({ path }) => (isWithin(path) ? [path.leaf] : [])))
  if (body === '*') return schemas.body(method.desc.input, setByPath)
  return body.fieldKind === 'message' ? schemas.body(body.message, setByPath) : schemas.field(body)
}

/** What a successful answer carries; a stream ends with an error when it fails after its first message. */
export function responseContent({ responseBody, method: { desc } }: Binding, schemas: Schemas): Schema {
  const isRaw = responseBody === undefined ? isHttpBody(desc.output) : isRawField(responseBody)
  if (isRaw) return raw
  const schema = responseBody === undefined ? schemas.message(desc.output) : schemas.field(responseBody)
  const streams = desc.methodKind === 'server_streaming' || desc.methodKind === 'bidi_streaming'
  return streams ? streamed({ anyOf: [schema, streamError] }) : { 'application/json': { schema } }
}

/** References to the refusals that an operation can meet. */
export function refusals({ policy, hasVariables }: { policy: Policy; hasVariables: boolean }): Schema {
  const applies: Readonly<Record<string, boolean>> = {
    '400': true,
    '401': policy.auth !== 'none',
    '403': asksForSomething(policy.authorize),
    '404': hasVariables,
    '429': true,
    '503': true,
    default: true,
  }
  return Object.fromEntries(
    Object.entries(refusalNames)
      .filter(([status]) => applies[status] === true)
      .map(([status, name]) => [status, { $ref: `#/components/responses/${name}` }]),
  )
}

/** The refusals as components, in the words of `google.rpc.Status`. */
export function refusalComponents(status: Schema): Readonly<Record<string, Schema>> {
  return Object.fromEntries(
    Object.entries(refusalNames).map(([key, name]) => [
      name,
      {
        description: refusalTexts[name],
        ...(key === '429' || key === '503' ? { headers: { 'Retry-After': retryAfter } } : {}),
        content: { 'application/json': { schema: status } },
      },
    ]),
  )
}

const refusalNames = {
  '400': 'InvalidArgument',
  '401': 'Unauthenticated',
  '403': 'PermissionDenied',
  '404': 'NotFound',
  '429': 'ResourceExhausted',
  '503': 'Unavailable',
  default: 'Error',
} as const

const refusalTexts = {
  InvalidArgument: 'INVALID_ARGUMENT, FAILED_PRECONDITION or OUT_OF_RANGE: what was sent cannot be used.',
  Unauthenticated: 'UNAUTHENTICATED: the credentials are missing or not valid.',
  PermissionDenied: 'PERMISSION_DENIED: the caller may not do this.',
  NotFound: 'NOT_FOUND: what the path names is not there.',
  ResourceExhausted: 'RESOURCE_EXHAUSTED: too many requests.',
  Unavailable: 'UNAVAILABLE: the service cannot be reached now.',
  Error: 'Any other error; "code" is its number in google.rpc.Code.',
} as const

const retryAfter: Schema = {
  description: 'Seconds until another try makes sense, when that is known.',
  schema: { type: 'integer', minimum: 0 },
}

const streamError: Schema = { $ref: `#/components/schemas/${streamErrorName}` }

function isRawField(field: Exclude<Binding['responseBody'], undefined>): boolean {
  return field.fieldKind === 'message' && isHttpBody(field.message)
}

/** Bytes with a content type of their own (`google.api.HttpBody`). */
const raw: Schema = { '*/*': {} }

function streamed(item: Schema): Schema {
  return {
    'application/json': { schema: { type: 'array', items: item } },
    'application/x-ndjson': { schema: item },
  }
}
