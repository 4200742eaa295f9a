import type { Registry } from '@bufbuild/protobuf'
import type { HttpExchange } from '../../core/http-exchange.ts'
import type { Destination } from '../../traffic/destination.ts'
import { type BindOptions, bindRequest } from './bind-request.ts'
import type { Binding } from './binding.ts'
import { timeLimit } from './grpc-timeout.ts'
import { requestMetadata } from './metadata.ts'
import type { MetadataRules } from './metadata-rules.ts'
import type { Rendering } from './render-reply.ts'
import { RpcCall, type RpcCallOptions, type RpcTransport } from './rpc-transport.ts'
import { openRequestStream } from './streaming/request-stream.ts'

/** All that serving one binding needs, put together when configuration loads. */
export interface RpcRoute {
  readonly binding: Binding
  readonly destination: Destination
  readonly transport: RpcTransport
  readonly bind: BindOptions
  readonly rendering: Rendering
  readonly metadata: MetadataRules
  readonly registry: Registry
  /** Milliseconds for one call; 0: none. */
  readonly timeoutMs: number
  /** What a unary call is answered with where nobody answers; undefined: by an error. */
  readonly instead: Uint8Array | undefined
  /** Milliseconds between two pings of a WebSocket; 0: none. */
  readonly socketPingMs: number
}

/** Reads the request, unless its messages come from a source, and makes the call that it asks for. */
export async function prepareCall(
  x: HttpExchange,
  route: RpcRoute,
  more: Pick<RpcCallOptions, 'onMessage' | 'source'> = {},
): Promise<RpcCall> {
  const { binding, destination } = route
  const { desc, path } = binding.method
  x.attributes['rpc.service'] = desc.parent.typeName
  x.attributes['rpc.method'] = desc.name
  const clientStreams = desc.methodKind === 'client_streaming' || desc.methodKind === 'bidi_streaming'
  // Either side may wait for the other to say something.
  if (desc.methodKind === 'bidi_streaming') x.mayPause = true
  const source = more.source ?? (clientStreams ? openRequestStream(x, binding, route.bind) : undefined)
  const message = source === undefined ? await bindRequest(x, binding, route.bind) : undefined
  const { timeoutMs, clientDeadline } = timeLimit(x, route.timeoutMs)
  const streamed = desc.methodKind !== 'unary'
  return new RpcCall(x, destination, {
    path,
    message,
    timeoutMs,
    clientDeadline,
    headers: requestMetadata(x, route.metadata),
    // MethodOptions.IdempotencyLevel: NO_SIDE_EFFECTS is 1, IDEMPOTENT is 2.
    idempotent: binding.verb === 'GET' || desc.idempotency !== 0,
    hedgeable: !streamed && (binding.verb === 'GET' || desc.idempotency === 1),
    streamed,
    replayable: source === undefined,
    ...more,
    ...(source === undefined ? {} : { source }),
  })
}
