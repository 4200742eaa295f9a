import {
  Client,
  type ClientReadableStream,
  type ClientUnaryCall,
  credentials,
  type StatusObject,
} from '@grpc/grpc-js'
import type { Channel, RpcReceiver, RpcRequest, RpcStream } from './channel.ts'
import { endOf } from './grpc-js-end.ts'
import { flatMetadata, metadataFrom } from './grpc-js-metadata.ts'

/** What a channel needs to know of its endpoint. */
export interface GrpcJsChannelOptions {
  /** Larger answers end the call. */
  readonly maxMessageBytes: number
}

/** {@link Channel} over @grpc/grpc-js. `https` means TLS; the connection is made by the first call and remade when it is lost. */
export class GrpcJsChannel implements Channel {
  readonly #client: Client

  constructor(url: string, { maxMessageBytes }: GrpcJsChannelOptions) {
    const { hostname, port, protocol } = new URL(url)
    const tls = protocol === 'https:'
    const address = `${hostname}:${port === '' ? (tls ? 443 : 80) : port}`
    this.#client = new Client(address, tls ? credentials.createSsl() : credentials.createInsecure(), {
      'grpc.max_receive_message_length': maxMessageBytes,
      'grpc.max_send_message_length': -1,
      // dispatch alone decides about second tries, the upstream's configuration about everything else.
      'grpc.enable_retries': 0,
      'grpc.service_config_disable_resolution': 1,
      'grpc.enable_http_proxy': 0,
      // A backend that came back is found within a second.
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1_000,
      // A connection of one's own: channels of other configurations come and go.
      'grpc.use_local_subchannel_pool': 1,
    })
  }

  start(request: RpcRequest, receiver: RpcReceiver): RpcStream {
    return request.serverStreaming ? this.#stream(request, receiver) : this.#unary(request, receiver)
  }

  close(): void {
    this.#client.close()
  }

  #unary(request: RpcRequest, receiver: RpcReceiver): RpcStream {
    let message: Buffer | undefined
    const call: ClientUnaryCall = this.#client.makeUnaryRequest<Buffer, Buffer>(
      request.path,
      asBytes,
      asBytes,
      bufferOf(request.message),
      metadataFrom(request.metadata),
      { deadline: deadlineOf(request) },
      (_error, reply) => {
        message = reply
      },
    )
    let answered = false
    call.on('metadata', (metadata) => {
      answered = true
      receiver.head(flatMetadata(metadata))
    })
    call.on('status', (status) => {
      if (message !== undefined) receiver.message(message)
      receiver.end(endOf(status, answered))
    })
    return { pause: () => {}, resume: () => {}, cancel: () => call.cancel() }
  }

  #stream(request: RpcRequest, receiver: RpcReceiver): RpcStream {
    const call: ClientReadableStream<Buffer> = this.#client.makeServerStreamRequest<Buffer, Buffer>(
      request.path,
      asBytes,
      asBytes,
      bufferOf(request.message),
      metadataFrom(request.metadata),
      { deadline: deadlineOf(request) },
    )
    let answered = false
    let status: StatusObject | undefined
    let drained = false
    const settle = (): void => {
      if (status !== undefined && drained) receiver.end(endOf(status, answered))
    }
    call.on('metadata', (metadata) => {
      answered = true
      receiver.head(flatMetadata(metadata))
    })
    call.on('data', (message: Buffer) => receiver.message(message))
    // The status comes as an event of its own; messages that were not read yet come before the end.
    call.on('error', () => {})
    call.on('end', () => {
      drained = true
      settle()
    })
    call.on('status', (ended) => {
      status = ended
      settle()
    })
    return {
      pause: () => void call.pause(),
      resume: () => void call.resume(),
      cancel: () => {
        call.cancel()
        call.resume()
      },
    }
  }
}

function asBytes(bytes: Buffer): Buffer {
  return bytes
}

/** The same bytes, seen as the class that grpc-js frames. */
function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}

function deadlineOf({ timeoutMs }: RpcRequest): number {
  return timeoutMs === 0 ? Number.POSITIVE_INFINITY : Date.now() + timeoutMs
}
