import { type Client, type ClientDuplexStream, connectivityState, type StatusObject } from '@grpc/grpc-js'
import type { RpcEnd, RpcFailure, RpcReceiver, RpcRequest, RpcStream } from './channel.ts'
import { endOf } from './grpc-js-end.ts'
import { flatMetadata, metadataFrom } from './grpc-js-metadata.ts'

/** One call of grpc-js, whatever its kind: to it every call is a stream both ways. */
export class GrpcJsStream implements RpcStream {
  /** Called once, before the receiver hears of the end. */
  onEnd = (): void => {}
  readonly #request: RpcRequest
  readonly #receiver: RpcReceiver
  readonly #call: ClientDuplexStream<Buffer, Buffer> | undefined
  /** Whether there was a connection before the call. */
  readonly #reused: boolean
  #answered = false
  #status: StatusObject | undefined
  #drained = false
  #messages = 0
  #over = false

  /** Without a client, because it was closed, the call fails. */
  constructor(client: Client | undefined, request: RpcRequest, receiver: RpcReceiver) {
    this.#request = request
    this.#receiver = receiver
    this.#reused = client?.getChannel().getConnectivityState(false) === connectivityState.READY
    const { path, metadata, message } = request
    if (client === undefined) {
      process.nextTick(() => this.#fail('refused', 14, 'The channel is closed.'))
      return
    }
    const options = { deadline: deadlineOf(request) }
    const call = client.makeBidiStreamRequest<Buffer, Buffer>(
      path,
      asBytes,
      asBytes,
      metadataFrom(metadata),
      options,
    )
    this.#call = call
    call.on('metadata', (initial) => {
      if (this.#over) return
      this.#answered = true
      receiver.head(flatMetadata(initial))
    })
    call.on('data', (bytes: Buffer) => this.#take(bytes))
    // The status comes as an event of its own; messages that were not read yet come before the end.
    call.on('error', () => {})
    call.on('drain', () => {
      if (!this.#over) receiver.drain?.()
    })
    call.on('end', () => {
      this.#drained = true
      this.#settle()
    })
    call.on('status', (status) => {
      this.#status = status
      this.#settle()
    })
    if (message !== undefined) {
      call.write(bufferOf(message))
      call.end()
    }
  }

  pause(): void {
    this.#call?.pause()
  }

  resume(): void {
    this.#call?.resume()
  }

  cancel(): void {
    this.#call?.cancel()
    this.#call?.resume()
  }

  sendMessage(bytes: Uint8Array): boolean {
    return this.#call?.write(bufferOf(bytes)) ?? true
  }

  halfClose(): void {
    this.#call?.end()
  }

  /** The connection did not come in time. */
  connectTimedOut(): void {
    this.#fail('connectTimeout', 14, 'No connection established: timed out.')
    this.cancel()
  }

  #take(bytes: Buffer): void {
    if (this.#over) return
    if (++this.#messages > 1 && !this.#request.serverStreaming) {
      this.#fail('protocol', 12, 'The answer has not exactly one message.', true)
      this.cancel()
      return
    }
    this.#receiver.message(bytes)
  }

  #settle(): void {
    const status = this.#status
    if (status === undefined || !this.#drained || this.#over) return
    if (status.code === 0 && this.#messages === 0 && !this.#request.serverStreaming) {
      this.#fail('protocol', 12, 'The answer has not exactly one message.', true)
    } else this.#tell(endOf(status, { answered: this.#answered, reused: this.#reused }))
  }

  #fail(failure: RpcFailure, code: number, message: string, reached = false): void {
    this.#tell({ code, message, trailers: [], fromBackend: false, failure, reached, stale: false })
  }

  #tell(end: RpcEnd): void {
    if (this.#over) return
    this.#over = true
    this.onEnd()
    this.#receiver.end(end)
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
