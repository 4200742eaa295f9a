import type { GatewayError } from '../../core/error.ts'
import type { Exchange } from '../../core/exchange.ts'
import type { Attempt } from '../../traffic/attempt.ts'
import { Call, type CallOptions, type Transport } from '../../traffic/call.ts'
import type { Destination } from '../../traffic/destination.ts'
import type { Copy } from '../../traffic/mirror/copy.ts'
import type { RpcEnd, RpcReceiver, RpcStream } from './channel.ts'
import { Channels, type OpenChannel } from './channels.ts'
import { metadataValue } from './metadata.ts'
import { rpcFailure } from './rpc-failure.ts'

/** What a gRPC call is made from. */
export interface RpcCallOptions extends CallOptions {
  /** `/package.Service/Method` */
  readonly path: string
  /** The encoded request; undefined when it is a stream, which {@link RpcCallOptions.source} then has. */
  readonly message: Uint8Array | undefined
  readonly source?: RpcSource
  /** Whether the client's `Grpc-Timeout` is what limits the call. */
  readonly clientDeadline: boolean
  /** Told when the head of the answer is there, ahead of its messages. */
  readonly onHead?: () => void
  /** Takes each message of a streamed answer as it comes; absent for a unary call. */
  readonly onMessage?: (bytes: Uint8Array, stream: RpcStream) => void
}

/** Where the messages of a streamed request come from. */
export interface RpcSource {
  /** Why the source itself gave up, after which it cancels the call: that is how the call failed then. */
  readonly failure: GatewayError | undefined
  /** The call takes messages from now on. */
  begin(stream: RpcStream): void
  /** There is room again. */
  drain(): void
  /** The call takes no more. */
  over(): void
}

/** One gRPC call of an exchange. */
export class RpcCall extends Call {
  readonly method: string
  readonly options: RpcCallOptions
  /** Initial metadata of the answer, flat; there before the first message. */
  metadata: readonly string[] = []

  constructor(x: Exchange, destination: Destination, options: RpcCallOptions) {
    super(x, destination, options)
    this.options = options
    this.method = options.path.slice(1)
    if (this.upstream.options.retry.nonIdempotent) this.idempotent = true
  }
}

/** What the backend answered, whether or not that is a success. */
export interface RpcReply {
  /** The answer of a unary call; undefined when it failed and for streams. */
  readonly message: Uint8Array | undefined
  readonly end: RpcEnd
}

/** The counters of the messages of a method, by its path; asked for each attempt. */
export type CountMessages = (path: string) => {
  readonly sent: { value: number }
  readonly received: { value: number }
}

/** One attempt over a {@link Channel}. A status that the backend sent is a reply; all else is thrown as a GatewayError. */
export class RpcTransport implements Transport<RpcCall, RpcReply> {
  readonly #channels: Channels
  readonly #count: CountMessages | undefined

  /** `count`: what messages are counted in; by default they are not. */
  constructor(open: OpenChannel, count?: CountMessages) {
    this.#channels = new Channels(open)
    this.#count = count
  }

  send(attempt: Attempt<RpcCall>): Promise<RpcReply> {
    const { call, endpoint } = attempt
    const { path, message, source, onHead, onMessage } = call.options
    const counts = this.#count?.(path)
    return new Promise((resolve, reject) => {
      let answer: Uint8Array | undefined
      const receiver: RpcReceiver = {
        head(pairs) {
          if (!attempt.answered()) return
          call.metadata = pairs
          onHead?.()
        },
        message(bytes) {
          if (counts !== undefined) counts.received.value++
          if (onMessage === undefined) answer = bytes
          else onMessage(bytes, stream)
        },
        drain() {
          source?.drain()
        },
        end(end) {
          source?.over()
          if (end.fromBackend) attempt.status = end.code
          const broken = source?.failure ?? attempt.cancelled ?? failureOf(attempt, end)
          if (broken !== undefined) reject(broken)
          else {
            attempt.answered()
            call.copy?.original?.whole(end.code, answer ?? noBytes)
            resolve({ message: answer, end })
          }
        },
      }
      const stream = this.#channels.to(endpoint).start(
        {
          path,
          message,
          metadata: call.headers,
          timeoutMs: call.remainingMs(),
          serverStreaming: onMessage !== undefined,
        },
        receiver,
      )
      attempt.onCancel(() => stream.cancel())
      if (message !== undefined && counts !== undefined) counts.sent.value++
      source?.begin(counts === undefined ? stream : counting(stream, counts))
    })
  }

  /** The calls that are mirrored are unary: their one message is there. */
  mirror(call: RpcCall, copy: Copy): void {
    const { path, message = noBytes } = call.options
    if (message.length > copy.maxBodyBytes) {
      copy.skip()
      return
    }
    const make = (): RpcCall =>
      new RpcCall(call.exchange, copy.destination, {
        ...copy.callOptions(call),
        path,
        message,
        clientDeadline: false,
      })
    copy.ready(make, {
      send: async (attempt) => {
        const { message: answer, end } = await this.send(attempt)
        copy.answer?.whole(end.code, answer ?? noBytes)
      },
    })
  }

  /** Ends the connections once their calls are over. */
  close(): void {
    this.#channels.close()
  }
}

/** The stream, its messages counted as they are sent. */
function counting(stream: RpcStream, { sent }: ReturnType<CountMessages>): RpcStream {
  return {
    pause: () => stream.pause(),
    resume: () => stream.resume(),
    cancel: () => stream.cancel(),
    halfClose: () => stream.halfClose(),
    sendMessage(bytes) {
      sent.value++
      return stream.sendMessage(bytes)
    },
  }
}

/** What to reject with at this end of an attempt; undefined: it is an answer. */
function failureOf(attempt: Attempt<RpcCall>, end: RpcEnd): GatewayError | undefined {
  const { upstreamName, options } = attempt.call
  if (!end.fromBackend) return rpcFailure(end, { upstreamName, clientDeadline: options.clientDeadline })
  return faults.has(end.code) ? faulty(attempt, end) : undefined
}

/** What a status says of who sent it; what to reject with when it is dropped for another attempt. */
function faulty(attempt: Attempt, { code, trailers }: RpcEnd): GatewayError | undefined {
  const fault = `grpc-status ${code}`
  if (code === unavailable) {
    const pushback = metadataValue(trailers, 'grpc-retry-pushback-ms')
    // gRFC A6: a number of milliseconds; anything else forbids another attempt.
    if (pushback === undefined) return attempt.faulty(fault, 503, undefined)
    if (/^\d{1,9}$/.test(pushback)) return attempt.faulty(fault, 503, Number(pushback))
  }
  attempt.fault = fault
  return undefined
}

const noBytes = new Uint8Array(0)
const unavailable = 14
/** `google.rpc.Code` that a backend which is not well answers with, as others answer 5xx: UNKNOWN, INTERNAL, UNAVAILABLE, DATA_LOSS. */
const faults: ReadonlySet<number> = new Set([2, 13, 14, 15])
