import { type ChannelCredentials, Client, connectivityState, credentials } from '@grpc/grpc-js'
import type { Channel, RpcReceiver, RpcRequest, RpcStream } from './channel.ts'
import { GrpcJsStream } from './grpc-js-stream.ts'
import type { TlsOptions } from './http2/dial.ts'

/** What a channel needs to know of its endpoint. */
export interface GrpcJsChannelOptions {
  /** The most that one message may have, either way. */
  readonly maxMessageBytes: number
  /** For the connection with TLS, in milliseconds. Default: for ever. */
  readonly connectTimeoutMs?: number
  /** How long a connection takes new calls, in milliseconds, so that a change of addresses is noticed; 0: for ever. Default 0. */
  readonly maxAgeMs?: number
  /** A PING is sent so often, in milliseconds, while there are calls; 0: never. Default 0. */
  readonly keepaliveMs?: number
  /** How long the answer to the PING may take, in milliseconds. Default 20,000. */
  readonly keepaliveTimeoutMs?: number
  /** Used when the URL is `https`. */
  readonly tls?: TlsOptions
}

/** {@link Channel} over @grpc/grpc-js. `https` means TLS; the connection is made by the first call and remade when it is lost. */
export class GrpcJsChannel implements Channel {
  readonly #open: () => Client
  readonly #connectTimeoutMs: number
  readonly #maxAgeMs: number
  #client: Client
  #openedAt = performance.now()
  #closed = false

  constructor(url: string, options: GrpcJsChannelOptions) {
    const { maxMessageBytes, connectTimeoutMs = 0, tls = {} } = options
    const { keepaliveMs = 0, keepaliveTimeoutMs = 20_000 } = options
    const { hostname, port, protocol } = new URL(url)
    const secure = protocol === 'https:'
    const address = `${hostname}:${port === '' ? (secure ? 443 : 80) : port}`
    const { serverName } = tls
    this.#connectTimeoutMs = connectTimeoutMs
    this.#maxAgeMs = options.maxAgeMs ?? 0
    const settings = {
      'grpc.max_receive_message_length': maxMessageBytes,
      'grpc.max_send_message_length': maxMessageBytes,
      // dispatch alone decides about second tries, the upstream's configuration about everything else.
      'grpc.enable_retries': 0,
      'grpc.service_config_disable_resolution': 1,
      'grpc.enable_http_proxy': 0,
      // A backend that came back is found within a second.
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1_000,
      // A connection of one's own: channels of other configurations come and go.
      'grpc.use_local_subchannel_pool': 1,
      ...(keepaliveMs === 0
        ? {}
        : { 'grpc.keepalive_time_ms': keepaliveMs, 'grpc.keepalive_timeout_ms': keepaliveTimeoutMs }),
      ...(serverName === undefined ? {} : { 'grpc.ssl_target_name_override': serverName }),
    }
    this.#open = () => new Client(address, secure ? sslOf(tls) : credentials.createInsecure(), settings)
    this.#client = this.#open()
  }

  start(request: RpcRequest, receiver: RpcReceiver): RpcStream {
    if (this.#maxAgeMs > 0 && performance.now() - this.#openedAt > this.#maxAgeMs) this.#renewOpen()
    const stream = new GrpcJsStream(this.#closed ? undefined : this.#client, request, receiver)
    if (this.#connectTimeoutMs > 0 && !this.#closed) this.#limitConnecting(stream)
    return stream
  }

  close(): void {
    this.#closed = true
    this.#client.close()
  }

  /** The calls of the old client go on. */
  #renewOpen(): void {
    if (this.#closed || !isReady(this.#client)) return
    this.#client.close()
    this.#client = this.#open()
    this.#openedAt = performance.now()
  }

  /** grpc-js waits as long as the system does. */
  #limitConnecting(stream: GrpcJsStream): void {
    const client = this.#client
    if (isReady(client)) return
    const timer = setTimeout(() => {
      if (this.#closed || client !== this.#client) return
      const state = client.getChannel().getConnectivityState(false)
      if (state === connectivityState.CONNECTING) stream.connectTimedOut()
    }, this.#connectTimeoutMs)
    stream.onEnd = () => clearTimeout(timer)
  }
}

/** Whether there is a connection for a call. */
function isReady(client: Client): boolean {
  return client.getChannel().getConnectivityState(false) === connectivityState.READY
}

function sslOf({ ca, key, cert, insecureSkipVerify = false }: TlsOptions): ChannelCredentials {
  const bytes = (pem: string | Buffer | undefined): Buffer | null =>
    pem === undefined ? null : Buffer.from(pem)
  return credentials.createSsl(bytes(ca), bytes(key), bytes(cert), {
    rejectUnauthorized: !insecureSkipVerify,
  })
}
