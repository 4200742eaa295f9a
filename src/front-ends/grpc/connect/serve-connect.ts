import type { Registry } from '@bufbuild/protobuf'
import { toGatewayError } from '../../../core/error.ts'
import type { HttpExchange } from '../../../core/http-exchange.ts'
import { grpcNumbers } from '../../../core/reason-entry.ts'
import { dispatch } from '../../../traffic/dispatch.ts'
import { addChallenge } from '../challenge.ts'
import type { RpcEnd } from '../channel.ts'
import { metadataValue } from '../metadata.ts'
import { nativeRequestMetadata, passedMetadata } from '../native/native-metadata.ts'
import type { NativeRoute } from '../native/serve-native.ts'
import { httpStatus, retryAfterSeconds, statusOf } from '../rpc-status.ts'
import { RpcCall, type RpcCallOptions } from '../rpc-transport.ts'
import { callWithFallback } from '../static-reply.ts'
import { checkRequest } from './check-request.ts'
import type { ConnectCodec } from './connect-codec.ts'
import { type ConnectError, connectError, connectRefusal } from './connect-error.ts'
import type { ConnectFormat } from './connect-format.ts'
import { connectTimeLimit } from './connect-timeout.ts'
import { noteOutcome } from './outcome.ts'
import { openSource, readSingle, readUnary } from './read-request.ts'
import { StreamAnswer } from './stream-answer.ts'
import { answerMessage, answerUnaryError } from './unary-answer.ts'

/** All that serving the calls of one method to clients of Connect needs, put together when configuration loads. */
export interface ConnectRoute extends NativeRoute {
  readonly codec: ConnectCodec
  readonly registry: Registry
}

/** Serves one exchange of a client that speaks Connect. */
export function serveConnect(x: HttpExchange, route: ConnectRoute): Promise<void> {
  const { desc } = route.method
  x.attributes['rpc.system'] = 'connect_rpc'
  x.attributes['rpc.service'] = desc.parent.typeName
  x.attributes['rpc.method'] = desc.name
  const format = checkRequest(x, route.method)
  return desc.methodKind === 'unary' ? serveUnary(x, route, format) : serveStream(x, route, format)
}

async function serveUnary(x: HttpExchange, route: ConnectRoute, format: ConnectFormat): Promise<void> {
  const { codec, registry, transport } = route
  const message = await readUnary(x, { format, codec, maxBytes: route.messageBytes })
  const call = callOf(x, route, { message })
  const { message: reply, end } = await callWithFallback(call, transport, route.instead)
  const error = errorOf(end, registry)
  noteOutcome(x, end.code, error)
  const headers = passedMetadata(call.metadata)
  const trailers = passedTrailers(end)
  for (let i = 0; i + 1 < trailers.length; i += 2)
    headers.push(`trailer-${trailers[i]}`, trailers[i + 1] as string)
  if (error === undefined) {
    await answerMessage(x, codec.reply(reply ?? noBytes, format), { headers, format })
    return
  }
  const retryAfter = retryAfterSeconds(statusOf(end, registry))
  if (retryAfter !== undefined) headers.push('Retry-After', String(retryAfter))
  const status = httpStatus(end.code)
  addChallenge(x, status, headers)
  answerUnaryError(x, error, { status, headers })
}

async function serveStream(x: HttpExchange, route: ConnectRoute, format: ConnectFormat): Promise<void> {
  const { codec, registry, transport } = route
  const { methodKind } = route.method.desc
  const reading = { format, codec, maxBytes: route.messageBytes }
  const request =
    methodKind === 'server_streaming'
      ? { message: await readSingle(x, reading) }
      : { message: undefined, source: openSource(x, reading) }
  const answer = new StreamAnswer(x, format)
  const relay: RpcCallOptions['onMessage'] = (bytes, stream) => {
    if (x.gone || answer.failure !== undefined) return
    try {
      const message = codec.reply(bytes, format)
      answer.begin(passedMetadata(call.metadata))
      answer.message(message, stream)
    } catch (thrown) {
      answer.giveUp(thrown, stream)
    }
  }
  const call: RpcCall = callOf(x, route, {
    ...request,
    ...(methodKind === 'client_streaming' ? {} : { onMessage: relay }),
  })
  try {
    const { message, end } = await dispatch(call, transport)
    if (end.code === 0 && message !== undefined) {
      answer.begin(passedMetadata(call.metadata))
      answer.message(codec.reply(message, format))
    }
    await answer.flushed()
    if (answer.failure !== undefined) throw answer.failure
    const error = errorOf(end, registry)
    noteOutcome(x, end.code, error)
    answer.begin(passedMetadata(call.metadata))
    answer.end(error, passedTrailers(end))
  } catch (thrown) {
    const error = answer.failure ?? toGatewayError(thrown)
    if (!x.committed) throw error
    x.error ??= error
    await answer.flushed()
    const spelled = connectRefusal(x, error, registry)
    noteOutcome(x, grpcNumbers[error.code], spelled)
    answer.end(spelled, [])
  }
}

function callOf(
  x: HttpExchange,
  route: ConnectRoute,
  request: Pick<RpcCallOptions, 'message' | 'source' | 'onMessage'>,
): RpcCall {
  const { method, destination, credentials } = route
  const { timeoutMs, clientDeadline } = connectTimeLimit(x, route.timeoutMs)
  return new RpcCall(x, destination, {
    path: method.path,
    timeoutMs,
    clientDeadline,
    headers: nativeRequestMetadata(x, credentials),
    // MethodOptions.IdempotencyLevel: NO_SIDE_EFFECTS is 1, IDEMPOTENT is 2.
    idempotent: method.desc.idempotency !== 0,
    hedgeable: method.desc.methodKind === 'unary' && method.desc.idempotency === 1,
    streamed: method.desc.methodKind !== 'unary',
    replayable: request.source === undefined,
    ...request,
  })
}

function errorOf({ code, message, trailers }: RpcEnd, registry: Registry): ConnectError | undefined {
  if (code === 0) return undefined
  const bin = metadataValue(trailers, detailsName)
  return connectError({ code, message, bin }, registry)
}

/** Without the details, which are part of the error. */
function passedTrailers({ trailers }: RpcEnd): string[] {
  const passed = passedMetadata(trailers)
  for (let i = passed.length - 2; i >= 0; i -= 2) if (passed[i] === detailsName) passed.splice(i, 2)
  return passed
}

const detailsName = 'grpc-status-details-bin'
const noBytes = new Uint8Array(0)
