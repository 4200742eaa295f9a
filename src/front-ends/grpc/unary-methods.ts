import type { DescMethod } from '@bufbuild/protobuf'
import { GatewayError } from '../../core/error.ts'
import type { Exchange } from '../../core/exchange.ts'
import { grpcNumbers } from '../../core/reason-entry.ts'
import { tooLarge } from '../../core/request-body.ts'
import type { UnaryCall, UnaryMethod } from '../../core/unary-method.ts'
import { dispatch } from '../../traffic/dispatch.ts'
import { compileCodec, type MessageCodec } from './codec/codec.ts'
import { compileRequest } from './compile-request.ts'
import type { Descriptors, RpcMethod } from './descriptors.ts'
import { messageShape } from './message-shape.ts'
import { requestMetadata } from './metadata.ts'
import type { MetadataRules } from './metadata-rules.ts'
import { configuredTimeout } from './method-options.ts'
import { notDescribedYet } from './missing-rows.ts'
import { compileRendering, type Rendering } from './render-reply.ts'
import { httpStatus } from './rpc-status.ts'
import { RpcCall, type RpcTransport } from './rpc-transport.ts'
import type { ServiceOptions } from './service-options.ts'

/** A service and how it is called. */
export interface CallableService {
  readonly service: ServiceOptions
  readonly metadata: MetadataRules
  readonly transport: RpcTransport
  readonly messageBytes: number
}

/**
 * The unary method of a name, `library.v1.LibraryService/GetBook`. Throws an Error where there is none; one of a service that is among the
 * `absent` answers that it is not known yet.
 */
export function findUnaryMethod(
  name: string,
  from: {
    readonly services: readonly CallableService[]
    readonly absent: readonly ServiceOptions[]
    readonly descriptors: Descriptors
  },
): UnaryMethod {
  const { services, absent, descriptors } = from
  const [serviceName = '', methodName] = name.split('/')
  if (absent.some((service) => service.name === serviceName)) return missingMethod(serviceName)
  const found = services.find(({ service }) => service.name === serviceName)
  if (found === undefined) {
    const names = services.map(({ service }) => service.name).join(', ')
    throw new Error(`there is no service "${serviceName}" under grpc.services (there are: ${names})`)
  }
  const methods = descriptors.methodsOf(serviceName)
  const method = methods.find(({ desc }) => desc.name === methodName)
  if (method === undefined) {
    const names = methods.map(({ desc }) => desc.name).join(', ')
    throw new Error(`${serviceName} has no method "${methodName}" (it has: ${names})`)
  }
  if (method.desc.methodKind !== 'unary') throw new Error(`${name} is a stream, and parts are single calls`)
  return unaryMethod(method, found, descriptors)
}

function unaryMethod(
  method: RpcMethod,
  { service, metadata, transport, messageBytes }: CallableService,
  { registry }: Descriptors,
): UnaryMethod {
  const { desc, path, bindings } = method
  const { json, destination } = service
  const timeoutMs = configuredTimeout(service, method)
  const codec = compileCodec(desc.input, { ...json, registry })
  const ofService = compileRendering(desc.output, undefined, { style: json, registry })
  if (ofService.raw) throw new Error(`${desc.name} answers bytes of any kind, and parts are JSON`)
  // A GET binding says it too: google/api/http.proto has it for methods that change nothing.
  const ofMethod = desc.idempotency !== 0 || bindings.some(({ verb }) => verb === 'GET')
  const unaryCall =
    (request: (x: Exchange) => unknown, rendering: Rendering, idempotent: boolean): UnaryCall =>
    async (x, { deadlineAt, maxAnswerBytes }) => {
      const message = encode(codec, JSON.stringify(request(x)), desc)
      if (message.length > messageBytes) throw tooLarge(messageBytes)
      const call = new RpcCall(x, destination, {
        path,
        message,
        headers: requestMetadata(x, metadata),
        idempotent,
        replayable: true,
        clientDeadline: false,
        deadlineAt,
        ...(timeoutMs === undefined ? undefined : { timeoutMs }),
      })
      const { message: reply, end } = await dispatch(call, transport)
      if (end.code !== 0) {
        const message = `Upstream "${call.upstreamName}" answered ${codeName(end.code)}`
        return { status: httpStatus(end.code), message, said: end.message }
      }
      const body = String(rendering.render(reply ?? noBytes).body)
      if (Buffer.byteLength(body) <= maxAnswerBytes) return { json: body }
      const text = `The answer of upstream "${call.upstreamName}" has more than ${maxAnswerBytes} bytes.`
      throw new GatewayError('UPSTREAM_TOO_LARGE', text)
    }
  const { ignoreUnknown } = json
  return {
    shapes: { input: messageShape(desc.input), output: messageShape(desc.output) },
    prepare: (request, place, { idempotent = ofMethod, whole = false } = {}) => {
      const rendering = whole
        ? compileRendering(desc.output, undefined, { style: wholeMessages, registry })
        : ofService
      const compiled = compileRequest(request, desc.input, { place, ignoreUnknown })
      return unaryCall(compiled, rendering, idempotent)
    },
  }
}

const wholeMessages = { emitDefaults: true, protoNames: false, enumsAsNumbers: false }

function missingMethod(service: string): UnaryMethod {
  const call = async (): Promise<never> => {
    throw notDescribedYet(service)
  }
  return { shapes: undefined, prepare: () => call }
}

function encode(codec: MessageCodec, request: string, { input }: DescMethod): Uint8Array {
  try {
    return codec.fromJson(request)
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    const { violations } = error
    const what = violations
      .map(({ field, detail }) => (field === '' ? detail : `"${field}" ${detail}`))
      .join('; ')
    throw new GatewayError('INVALID_ARGUMENT', `No ${input.typeName} can be made: ${what}.`, { violations })
  }
}

/** `NOT_FOUND` */
function codeName(code: number): string {
  const [name] = Object.entries(grpcNumbers).find(([, number]) => number === code) ?? [`status ${code}`]
  return name.toUpperCase()
}

const noBytes = new Uint8Array(0)
