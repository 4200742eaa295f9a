import type {
  Channel,
  RpcEnd,
  RpcReceiver,
  RpcRequest,
  RpcStream,
} from '../../../../src/front-ends/grpc/channel.ts'
import { GrpcJsChannel } from '../../../../src/front-ends/grpc/grpc-js-channel.ts'
import type { TlsOptions } from '../../../../src/front-ends/grpc/http2/dial.ts'
import { FastChannel, type FastChannelOptions } from '../../../../src/front-ends/grpc/http2/fast-channel.ts'

/** Options that both channels have. */
export interface ChannelOptions {
  readonly maxMessageBytes?: number
  readonly connectTimeoutMs?: number
  readonly maxAgeMs?: number
  readonly tls?: TlsOptions
}

/** Every implementation of Channel, for suites that run on all. */
export const channelKinds: readonly {
  readonly name: string
  open(url: string, options?: ChannelOptions): Channel
}[] = [
  {
    name: 'grpc-js',
    open: (url, options) => new GrpcJsChannel(url, { maxMessageBytes: 16_777_216, ...options }),
  },
  { name: 'fast', open: (url, options) => openFast(url, options) },
]

export function openFast(url: string, options: Partial<FastChannelOptions> = {}): FastChannel {
  return new FastChannel(url, { maxMessageBytes: 16_777_216, ...options })
}

/** All that a call told. */
export interface Told {
  readonly head: readonly string[] | undefined
  readonly messages: readonly Buffer[]
  readonly end: RpcEnd
}

/** A call with all that it tells. */
export interface Running {
  readonly stream: RpcStream
  readonly done: Promise<Told>
  readonly messages: readonly Buffer[]
}

/** Starts a call; throws when the channel breaks the order head, messages, end. */
export function begin(
  channel: Channel,
  request: Partial<RpcRequest>,
  more: Partial<RpcReceiver> = {},
): Running {
  const messages: Buffer[] = []
  let head: readonly string[] | undefined
  let ended = false
  let started = false
  const { promise, resolve, reject } = Promise.withResolvers<Told>()
  const check = (right: boolean, what: string): void => {
    if (!right || !started || ended) reject(new Error(`${what} was told where it must not be`))
  }
  const stream = channel.start(
    {
      path: '/test.Test/Echo',
      message: Buffer.alloc(0),
      metadata: [],
      timeoutMs: 20_000,
      serverStreaming: false,
      ...request,
    },
    {
      head(metadata) {
        check(head === undefined, 'head')
        head = metadata
        more.head?.(metadata)
      },
      message(bytes) {
        check(head !== undefined, 'a message')
        messages.push(Buffer.from(bytes))
        more.message?.(bytes)
      },
      end(end) {
        check(true, 'end')
        ended = true
        more.end?.(end)
        resolve({ head, messages, end })
      },
      drain: () => more.drain?.(),
    },
  )
  started = true
  return { stream, done: promise, messages }
}

/** A call to its end. */
export function call(channel: Channel, request: Partial<RpcRequest> = {}): Promise<Told> {
  return begin(channel, request).done
}

/** The part of an end that says what happened. */
export function verdict({ end: { code, failure, reached, fromBackend } }: Told): object {
  return { code, failure, reached, fromBackend }
}
