import { type DescField, fromBinary, type Message, type Registry, toBinary } from '@bufbuild/protobuf'
import { reflect } from '@bufbuild/protobuf/reflect'
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { GatewayError, type Violation } from '../../core/error.ts'
import type { HttpExchange } from '../../core/http-exchange.ts'
import { messageOf } from '../../core/message-of.ts'
import { readBody, tooLarge } from '../../core/request-body.ts'
import { bindVariables } from '../../routing/template.ts'
import type { Binding } from './binding.ts'
import { compileCodec } from './codec/codec.ts'
import { maxJsonDepth } from './codec/json-reader.ts'
import { httpBodyBytes, isHttpBody } from './http-body.ts'
import { appendPathFields, pathGoesLast } from './path-fields.ts'
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
  const bytes = await readBytes(x, binding, options)
  return complete(x, bytes, { binding, query: x.request.query, values: pathValues(x, binding), options })
}

/**
 * Binds the elements of a request stream, one message for each. Throws like {@link bindRequest}: what it makes throws for an element
 * what that one rejects with for a body.
 */
export function elementBinder(
  x: HttpExchange,
  binding: Binding,
  options: BindOptions,
): (element: Buffer) => Uint8Array {
  requireNoCoding(x)
  const values = pathValues(x, binding)
  const { query } = x.request
  return (element) => complete(x, element, { binding, query, values, options })
}

/** Whether the body is bytes of any kind instead of JSON (`google.api.HttpBody`). */
export function bindsRaw({ body, method }: Binding): boolean {
  const type = body === '*' ? method.desc.input : body?.message
  return type !== undefined && isHttpBody(type)
}

/** All that a message is made from, beside what its body says. */
interface Completion {
  readonly binding: Binding
  readonly query: string
  readonly values: readonly string[]
  readonly options: BindOptions
}

/** The message of a request or of one element of its body; faults of body, path and query are told together. */
function complete(
  x: HttpExchange,
  json: Buffer,
  { binding, query, values, options }: Completion,
): Uint8Array {
  const violations: Violation[] = []
  let body: Uint8Array = nothing
  let fault: GatewayError | undefined
  try {
    body = readElement(x, json, { binding, options })
  } catch (thrown) {
    if (!(thrown instanceof GatewayError) || thrown.reason !== 'INVALID_ARGUMENT') throw thrown
    fault = thrown
  }
  const bytes =
    query === '' && pathGoesLast(binding)
      ? appendPathFields(body, binding, { values, violations })
      : mergeFields(body, binding, {
          query,
          values,
          violations,
          ignoreUnknown: options.ignoreUnknown,
          faulty: fault !== undefined,
        })
  if (violations.length > 0) throw invalid([...(fault?.violations ?? []), ...violations])
  if (fault !== undefined) throw fault
  if (bytes.length > options.messageBytes) throw tooLarge(options.messageBytes)
  return bytes
}

/** What a request says outside its body. */
interface Outside {
  readonly query: string
  readonly values: readonly string[]
  readonly violations: Violation[]
  readonly ignoreUnknown: boolean
  /** Whether the body had a fault, so that what is made is for faults of the others alone. */
  readonly faulty: boolean
}

function mergeFields(body: Uint8Array, binding: Binding, outside: Outside): Uint8Array {
  const { query, values, violations, ignoreUnknown, faulty } = outside
  const desc = binding.method.desc.input
  // A level of JSON in a Struct is two on the wire.
  const message = fromBinary(desc, body, { recursionLimit: 3 * maxJsonDepth })
  const target = reflect(desc, message)
  if (query !== '') setQueryFields(target, query, { binding, violations, ignoreUnknown })
  for (let i = 0; i < binding.variables.length; i++) {
    const field = binding.variables[i]
    if (field !== undefined) setField(target, field, { values: [values[i] ?? ''], violations, replace: true })
  }
  return violations.length > 0 || faulty ? body : encode(binding, message)
}

/** The body as it came; empty when nothing of it is wanted. */
async function readBytes(x: HttpExchange, binding: Binding, options: BindOptions): Promise<Buffer> {
  if (binding.body === undefined || !x.hasBody) return noBytes
  requireReadable(x, bindsRaw(binding))
  const bytes = await readBody(x, options.bodyBytes)
  return bytes.length === 0 ? noBytes : bytes
}

function readElement(
  x: HttpExchange,
  bytes: Buffer,
  { binding, options }: { readonly binding: Binding; readonly options: BindOptions },
): Uint8Array {
  const { body, method, variables } = binding
  if (body === undefined || bytes === noBytes) return nothing
  if (bindsRaw(binding)) {
    const content = httpBodyBytes(bytes, x.header('content-type'))
    return body === '*' ? content : asField(body, content)
  }
  const { registry, ignoreUnknown } = options
  const codec = compileCodec(method.desc.input, { ...plainStyle, registry, ignoreUnknown })
  const partial = x.request.query !== '' || variables.length > 0
  return codec.fromJson(bytes, { field: body === '*' ? undefined : body, partial })
}

const nothing = new Uint8Array(0)
const noBytes = Buffer.alloc(0)
/** Of no effect on what is read. */
const plainStyle = { emitDefaults: false, protoNames: false, enumsAsNumbers: false }

function asField({ number }: DescField, message: Uint8Array): Uint8Array {
  return new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(message).finish()
}

function requireReadable(x: HttpExchange, raw: boolean): void {
  const type = x.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (!raw && type !== '' && type !== 'application/json') {
    throw new GatewayError('UNSUPPORTED_MEDIA_TYPE', 'The body must be application/json.')
  }
  requireNoCoding(x)
}

function requireNoCoding(x: HttpExchange): void {
  const coding = x.header('content-encoding')?.trim().toLowerCase() ?? ''
  if (coding !== '' && coding !== 'identity') {
    throw new GatewayError('UNSUPPORTED_MEDIA_TYPE', 'The body must come without a content coding.')
  }
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
    const detail = messageOf(cause)
    throw new GatewayError('INVALID_ARGUMENT', `The request is not complete: ${detail}.`, { cause })
  }
}

function invalid(violations: readonly Violation[]): GatewayError {
  const shown = violations.map(({ field, detail }) => `"${field}": ${detail}`).join('; ')
  return new GatewayError('INVALID_ARGUMENT', `The request does not fit: ${shown}.`, { violations })
}
