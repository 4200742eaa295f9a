/**
 * A connection to one endpoint that carries gRPC calls as bytes: no codec, no retries, no balancing. All that a transport
 * knows of the wire: the gateway's own HTTP/2 client stands behind it, or grpc-js.
 */
export interface Channel {
  /** Starts a call. Everything that happens is told to the receiver, never before `start` returns. */
  start(request: RpcRequest, receiver: RpcReceiver): RpcStream
  /** Ends the connection once its calls are over. */
  close(): void
}

/** What a call begins with. */
export interface RpcRequest {
  /** `/package.Service/Method` */
  readonly path: string
  /** The one request message; undefined when the request is a stream: {@link RpcStream.sendMessage} takes its messages then. */
  readonly message: Uint8Array | undefined
  /** Flat: name, value; names in lower case, `-bin` values in base64. What gRPC cannot carry is left out by the channel. */
  readonly metadata: readonly string[]
  /** Milliseconds that are left for the whole call; 0: no deadline. */
  readonly timeoutMs: number
  /** Whether the answer is a stream of messages. */
  readonly serverStreaming: boolean
}

/** What a call tells; `head` at most once, then messages, then `end` exactly once. */
export interface RpcReceiver {
  /** The initial metadata, flat as in the request. */
  head(metadata: readonly string[]): void
  /** One message; the bytes are the receiver's to keep. */
  message(bytes: Uint8Array): void
  end(end: RpcEnd): void
  /** There is room again after a {@link RpcStream.sendMessage} that was answered false. */
  drain?(): void
}

/** How a call ended. */
export interface RpcEnd {
  /** `google.rpc.Code`; 0 is success. */
  readonly code: number
  readonly message: string
  /** Trailing metadata, flat; `grpc-status-details-bin` among it. */
  readonly trailers: readonly string[]
  /** Whether the backend said so. False when the channel had to make it up: no connection, reset, deadline, no gRPC. */
  readonly fromBackend: boolean
  /** What the channel made it up from; undefined exactly when the backend said so. */
  readonly failure: RpcFailure | undefined
  /** False only when the backend cannot have seen the call: it may be sent again then, whatever it does. */
  readonly reached: boolean
  /** Whether all that happened is that the backend closed a connection, with other calls answered on it, before it said anything to this one. */
  readonly stale: boolean
}

/**
 * Why there is no word from the backend. `refused` to `tls`: there was no connection; `reset`: it or the call was broken off;
 * `refusedStream`: the backend said that it did not take the call; `protocol`: what it sent is no gRPC; `tooLarge`: a message or
 * the metadata of the answer is above the limits; `requestTooLarge`: one of the request is.
 */
export type RpcFailure =
  | 'refused'
  | 'connectTimeout'
  | 'dns'
  | 'tls'
  | 'reset'
  | 'refusedStream'
  | 'protocol'
  | 'deadline'
  | 'cancelled'
  | 'tooLarge'
  | 'requestTooLarge'

/** A call that runs. */
export interface RpcStream {
  /** Asks for no more messages for now; a few that were on their way may still come. */
  pause(): void
  resume(): void
  /** Ends the call; `end` follows. */
  cancel(): void
  /** Sends a message of a request stream, which is kept until it is sent. False: there is enough for now, wait for `drain`. */
  sendMessage(bytes: Uint8Array): boolean
  /** The request stream is complete. */
  halfClose(): void
}
