import type { Endpoint } from '../../traffic/endpoint.ts'
import type { Channel } from './channel.ts'
import { GrpcJsChannel } from './grpc-js-channel.ts'
import { FastChannel } from './http2/fast-channel.ts'

/** Which client carries the calls: the gateway's own, or @grpc/grpc-js. */
export type ChannelKind = 'fast' | 'grpc-js'

/** How calls are carried, whatever the endpoint. */
export interface ChannelOptions {
  /** Default `fast`. */
  readonly kind?: ChannelKind
  /** Of one message, either way. */
  readonly maxMessageBytes: number
  /** A PING is sent when a connection with calls was silent for so long, in milliseconds, at least 1,000; 0: never. Default 0. */
  readonly keepaliveMs?: number
  /** How long the answer to the PING may take, in milliseconds. Default 20,000. */
  readonly keepaliveTimeoutMs?: number
  /**
   * Connections of the gateway's own client to one endpoint at the most; each carries as many calls as the backend allows, and more are
   * opened only when those are used up. Default 4.
   */
  readonly maxConnections?: number
}

/** Makes the channel to an endpoint, with its limits. */
export function openChannel(
  { url, connections, names }: Endpoint,
  {
    kind = 'fast',
    maxMessageBytes,
    keepaliveMs = 0,
    keepaliveTimeoutMs = 20_000,
    maxConnections = 4,
  }: ChannelOptions,
): Channel {
  const { connectTimeoutMs, idleTimeoutMs, maxAgeMs = 0, tls = {} } = connections
  const common = { maxMessageBytes, connectTimeoutMs, maxAgeMs, keepaliveMs, keepaliveTimeoutMs, tls }
  if (kind === 'grpc-js') return new GrpcJsChannel(url, common)
  return new FastChannel(url, {
    ...common,
    idleTimeoutMs,
    lookup: names.lookup,
    maxConnections: Math.min(connections.maxConnections, maxConnections),
  })
}
