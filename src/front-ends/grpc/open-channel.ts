import type { Endpoint } from '../../traffic/endpoint.ts'
import type { Channel } from './channel.ts'
import { GrpcJsChannel } from './grpc-js-channel.ts'
import { FastChannel } from './http2/fast-channel.ts'

/** Which client carries the calls: the gateway's own, or @grpc/grpc-js. */
export type ChannelKind = 'fast' | 'grpc-js'

/** Makes the channel to an endpoint, with its limits; no message may be larger than `maxMessageBytes`. */
export function openChannel(
  { url, connections }: Endpoint,
  { kind, maxMessageBytes }: { readonly kind: ChannelKind; readonly maxMessageBytes: number },
): Channel {
  const { connectTimeoutMs, idleTimeoutMs, maxConnections } = connections
  const tls = connections.tls ?? {}
  if (kind === 'grpc-js') return new GrpcJsChannel(url, { maxMessageBytes, connectTimeoutMs, tls })
  return new FastChannel(url, {
    maxMessageBytes,
    connectTimeoutMs,
    idleTimeoutMs,
    tls,
    // Each carries as many calls as the backend allows: more are opened only when those are used up.
    maxConnections: Math.min(maxConnections, 4),
  })
}
