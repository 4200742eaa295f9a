/**
 * A connection to one endpoint that carries gRPC calls as bytes: no codec, no retries, no balancing. All that a transport
 * knows of the wire; grpc-js stands behind it now, and something faster or a recorded answer can.
 */
export interface Channel {
  /** Starts a call with one request message. Everything that happens is told to the receiver, never before `start` returns. */
  start(request: RpcRequest, receiver: RpcReceiver): RpcStream
  /** Ends the connection once its calls are over. */
  close(): void
}

/** What a call begins with. */
export interface RpcRequest {
  /** `/package.Service/Method` */
  readonly path: string
  readonly message: Uint8Array
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
  message(bytes: Uint8Array): void
  end(end: RpcEnd): void
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
}

/** A call that runs. */
export interface RpcStream {
  /** Asks for no more messages for now; a few that were on their way may still come. */
  pause(): void
  resume(): void
  /** Ends the call; `end` follows. */
  cancel(): void
}
