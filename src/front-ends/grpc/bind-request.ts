import { create, fromJson, type JsonValue, type Message, type Registry, toBinary } from '@bufbuild/protobuf'
import { reflect } from '@bufbuild/protobuf/reflect'
import { GatewayError, type Violation } from '../../core/error.ts'
import type { HttpExchange } from '../../core/http-exchange.ts'
import { bindVariables } from '../../routing/template.ts'
import { readBody, tooLarge } from '../body.ts'
import type { Binding } from './binding.ts'
import { httpBodyJson, isHttpBody } from './http-body.ts'
import { parseJsonBody } from './json-body.ts'
import { setQueryFields } from './query-fields.ts'
import { setField } from './set-field.ts'

/** What binding needs besides the request and the binding. */
export interface BindOptions {
  readonly registry: Registry
  /** Whether unknown fields and parameters are passed over instead of refused. */
  readonly ignoreUnknown: boolean
  readonly bodyBytes: number
  readonly messageBytes: number
}

/**
 * The request message of a call, encoded. Path beats body beats query (`google/api/http.proto`). Rejects with 400 naming each
 * field that is wrong, 413 when body or message are too large, 415 when the body is not JSON.
 */
export async function bindRequest(
  x: HttpExchange,
  binding: Binding,
  options: BindOptions,
): Promise<Uint8Array> {
  const desc = binding.method.desc.input
  const message = await readMessage(x, binding, options)
  const target = reflect(desc, message)
  const violations: Violation[] = []
  const { ignoreUnknown } = options
  if (x.request.query !== '') setQueryFields(target, x.request.query, { binding, violations, ignoreUnknown })
  const values = pathValues(x, binding)
  for (let i = 0; i < binding.variables.length; i++) {
    const field = binding.variables[i]
    if (field !== undefined) setField(target, field, { values: [values[i] ?? ''], violations, replace: true })
  }
  if (violations.length > 0) throw invalid(violations)
  const bytes = encode(binding, message)
  if (bytes.length > options.messageBytes) throw tooLarge(options.messageBytes)
  return bytes
}

async function readMessage(x: HttpExchange, binding: Binding, options: BindOptions): Promise<Message> {
  const { body, method } = binding
  const desc = method.desc.input
  if (body === undefined || !x.hasBody) return create(desc)
  const type = body === '*' ? desc : body.message
  const raw = type !== undefined && isHttpBody(type)
  requireReadable(x, raw)
  const bytes = await readBody(x, options.bodyBytes)
  if (bytes.length === 0) return create(desc)
  const json = raw
    ? httpBodyJson(bytes, x.header('content-type'))
    : parseJsonBody(bytes, { message: desc, field: body === '*' ? undefined : body })
  return decode(binding, body === '*' ? json : { [body.jsonName]: json }, options)
}

function requireReadable(x: HttpExchange, raw: boolean): void {
  const type = x.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (!raw && type !== '' && type !== 'application/json') {
    throw new GatewayError('UNSUPPORTED_MEDIA_TYPE', 'The body must be application/json.')
  }
  const coding = x.header('content-encoding')?.trim().toLowerCase() ?? ''
  if (coding !== '' && coding !== 'identity') {
    throw new GatewayError('UNSUPPORTED_MEDIA_TYPE', 'The body must come without a content coding.')
  }
}

function decode(binding: Binding, json: JsonValue, { registry, ignoreUnknown }: BindOptions): Message {
  try {
    return fromJson(binding.method.desc.input, json, { registry, ignoreUnknownFields: ignoreUnknown })
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause)
    const violations = [{ field: fieldNamedIn(detail), detail }]
    throw new GatewayError('INVALID_ARGUMENT', `The body does not fit: ${detail}.`, { cause, violations })
  }
}

/** @bufbuild/protobuf names the field in its messages only: `cannot decode field library.v1.Book.id from JSON: …`. */
function fieldNamedIn(detail: string): string {
  return /^cannot decode \w+ (\S+)/.exec(detail)?.[1] ?? ''
}

function pathValues(x: HttpExchange, { template }: Binding): readonly string[] {
  try {
    return bindVariables(template, x.segments)
  } catch (cause) {
    throw new GatewayError('MALFORMED_REQUEST', 'The path has an escape that is not UTF-8.', { cause })
  }
}

function encode({ method }: Binding, message: Message): Uint8Array {
  try {
    return toBinary(method.desc.input, message)
  } catch (cause) {
    // A required field of proto2 that nobody set.
    const detail = cause instanceof Error ? cause.message : String(cause)
    throw new GatewayError('INVALID_ARGUMENT', `The request is not complete: ${detail}.`, { cause })
  }
}

function invalid(violations: readonly Violation[]): GatewayError {
  const shown = violations.map(({ field, detail }) => `"${field}": ${detail}`).join('; ')
  return new GatewayError('INVALID_ARGUMENT', `The request does not fit: ${shown}.`, { violations })
}
