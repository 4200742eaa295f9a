import { GatewayError, toGatewayError } from '../../../core/error.ts'
import type { HttpExchange } from '../../../core/http-exchange.ts'
import { dispatch } from '../../../traffic/dispatch.ts'
import type { Upstream } from '../../../traffic/upstream.ts'
import type { RpcMethod } from '../descriptors.ts'
import { timeLimit } from '../grpc-timeout.ts'
import { RpcCall, type RpcTransport } from '../rpc-transport.ts'
import { readMessage } from './message-frame.ts'
import { NativeAnswer } from './native-answer.ts'
import { nativeRequestMetadata } from './native-metadata.ts'
import { type WireFormat, wireFormat } from './wire-format.ts'

/** All that passing the calls of one method through needs, put together when configuration loads. */
export interface NativeRoute {
  readonly method: RpcMethod
  readonly upstream: Upstream
  readonly transport: RpcTransport
  /** Milliseconds for one call; 0: none. */
  readonly timeoutMs: number
  readonly messageBytes: number
  /** The header with the key of a consumer, lower case. */
  readonly apiKeyHeader: string
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
      'Calls are taken as application/grpc over HTTP/2, application/grpc-web or application/grpc-web-text.',
    )
  }
  const kind = desc.methodKind
  if (kind === 'client_streaming' || kind === 'bidi_streaming') {
    throw new GatewayError('NOT_IMPLEMENTED', `${desc.name} takes a stream of messages, which is not served.`)
  }
  const message = await readMessage(x, format, route.messageBytes)
  await relay(x, route, { format, message, streams: kind === 'server_streaming' })
}

interface Asked {
  readonly format: WireFormat
  readonly message: Uint8Array
  readonly streams: boolean
}

async function relay(
  x: HttpExchange,
  route: NativeRoute,
  { format, message, streams }: Asked,
): Promise<void> {
  const { method, upstream, transport } = route
  const answer = new NativeAnswer(x, format)
  const { timeoutMs, clientDeadline } = timeLimit(x, route.timeoutMs)
  const call: RpcCall = new RpcCall(x, upstream, {
    path: method.path,
    message,
    timeoutMs,
    clientDeadline,
    headers: nativeRequestMetadata(x, route.apiKeyHeader),
    // MethodOptions.IdempotencyLevel: NO_SIDE_EFFECTS is 1, IDEMPOTENT is 2.
    idempotent: method.desc.idempotency !== 0,
    replayable: true,
    ...(streams ? { onMessage: (bytes, stream) => answer.message(bytes, call.metadata, stream) } : {}),
  })
  try {
    const reply = await dispatch(call, transport)
    if (reply.message !== undefined && reply.end.code === 0) answer.message(reply.message, call.metadata)
    answer.end(reply.end, call.metadata)
  } catch (thrown) {
    if (!x.committed) throw thrown
    const error = toGatewayError(thrown)
    x.error ??= error
    answer.refuse(error)
  }
}
