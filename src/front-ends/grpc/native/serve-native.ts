import { GatewayError, toGatewayError } from '../../../core/error.ts'
import type { HttpExchange } from '../../../core/http-exchange.ts'
import type { Destination } from '../../../traffic/destination.ts'
import type { RpcStream } from '../channel.ts'
import type { RpcMethod } from '../descriptors.ts'
import { timeLimit } from '../grpc-timeout.ts'
import { RpcCall, type RpcTransport } from '../rpc-transport.ts'
import { callWithFallback } from '../static-reply.ts'
import { readMessage } from './message-frame.ts'
import { NativeAnswer } from './native-answer.ts'
import { nativeRequestMetadata } from './native-metadata.ts'
import { RequestMessages } from './request-messages.ts'
import { saysGrpc, type WireFormat, wireFormat } from './wire-format.ts'

/** All that passing the calls of one method through needs, put together when configuration loads. */
export interface NativeRoute {
  readonly method: RpcMethod
  readonly destination: Destination
  readonly transport: RpcTransport
  /** Milliseconds for one call; 0: none. */
  readonly timeoutMs: number
  /** What a unary call is answered with where nobody answers; undefined: by an error. */
  readonly instead: Uint8Array | undefined
  readonly messageBytes: number
  /** The header with the key of a consumer, lower case. */
  readonly credentials: ReadonlySet<string>
}

/** Serves one exchange of a gRPC or gRPC-Web client: its message goes on, and the answer comes back, without being decoded. */
export async function serveNative(x: HttpExchange, route: NativeRoute): Promise<void> {
  const { desc } = route.method
  x.attributes['rpc.service'] = desc.parent.typeName
  x.attributes['rpc.method'] = desc.name
  const format = wireFormat(x)
  if (format === undefined) {
    throw new GatewayError(
      'UNSUPPORTED_MEDIA_TYPE',
      x.http2 || !saysGrpc(x)
        ? 'Calls are taken as application/grpc over HTTP/2, application/grpc-web, application/proto, and application/json with Connect-Protocol-Version: 1.'
        : 'gRPC is spoken over HTTP/2, and this came over HTTP/1.1; application/grpc-web is taken over both.',
    )
  }
  const answer = new NativeAnswer(x, format)
  const { timeoutMs, clientDeadline } = timeLimit(x, route.timeoutMs)
  const request = await requestOf(x, route, format)
  const call: RpcCall = new RpcCall(x, route.destination, {
    path: route.method.path,
    ...request,
    timeoutMs,
    clientDeadline,
    headers: nativeRequestMetadata(x, route.credentials),
    // MethodOptions.IdempotencyLevel: NO_SIDE_EFFECTS is 1, IDEMPOTENT is 2.
    idempotent: desc.idempotency !== 0,
    hedgeable: desc.methodKind === 'unary' && desc.idempotency === 1,
    streamed: desc.methodKind !== 'unary',
    replayable: request.source === undefined,
    ...(desc.methodKind === 'unary' ? {} : { onHead: () => answer.head(call.metadata) }),
    ...(answersStream(route)
      ? { onMessage: (bytes: Uint8Array, stream: RpcStream) => answer.message(bytes, call.metadata, stream) }
      : {}),
  })
  try {
    const { message, end } = await callWithFallback(call, route.transport, route.instead)
    if (message !== undefined && end.code === 0) answer.whole(message, end, call.metadata)
    else answer.end(end, call.metadata)
  } catch (thrown) {
    if (!x.committed) throw thrown
    const error = toGatewayError(thrown)
    x.error ??= error
    answer.refuse(error)
  }
}

/** What is sent to the backend: the one message of the request, or where its messages come from. */
async function requestOf(
  x: HttpExchange,
  { method: { desc }, messageBytes }: NativeRoute,
  format: WireFormat,
): Promise<{ readonly message: Uint8Array | undefined; readonly source?: RequestMessages }> {
  if (desc.methodKind !== 'client_streaming' && desc.methodKind !== 'bidi_streaming') {
    return { message: await readMessage(x, format, messageBytes) }
  }
  if (format.kind !== 'grpc') {
    throw new GatewayError(
      'NOT_IMPLEMENTED',
      `${desc.name} takes a stream of messages, which gRPC-Web has no way to send; call it by gRPC over HTTP/2.`,
    )
  }
  x.mayPause = true
  return { message: undefined, source: new RequestMessages(x, messageBytes) }
}

function answersStream({ method: { desc } }: NativeRoute): boolean {
  return desc.methodKind === 'server_streaming' || desc.methodKind === 'bidi_streaming'
}
