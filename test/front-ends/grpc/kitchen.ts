import { join } from 'node:path'
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { load, type MessageTypeDefinition } from '@grpc/proto-loader'
import {
  googleProtos,
  type House,
  openHouse,
  serviceOf,
  startBackend,
  testProtos,
  upstreamOf,
} from './harness.ts'

export const kitchenProto = join(testProtos, 'kitchen/v1/kitchen.proto')
export const kitchenName = 'kitchen.v1.Kitchen'

/** What a kitchen saw. */
export interface Seen {
  readonly cancelled: Promise<void>
  /** Messages that `Count` handed to gRPC. */
  sent: number
  calls: number
}

// biome-ignore lint/suspicious/noExplicitAny: messages of every type.
type Unary = handleUnaryCall<any, any>
// biome-ignore lint/suspicious/noExplicitAny: messages of every type.
type Streaming = handleServerStreamingCall<any, any>

/** A real gRPC server of test/front-ends/grpc/protos/kitchen. */
export async function startKitchen(): Promise<{ readonly url: string; readonly seen: Seen; close(): void }> {
  const definitions = await load(['google/rpc/status.proto', 'google/rpc/error_details.proto'], {
    includeDirs: [googleProtos],
  })
  const status = definitions['google.rpc.Status'] as MessageTypeDefinition<object, object>
  let cancel = (): void => {}
  const seen: Seen = { cancelled: new Promise((resolve) => (cancel = resolve)), sent: 0, calls: 0 }

  const echo: Unary = (call, callback) => {
    seen.calls++
    callback(null, call.request)
  }
  const fail: Unary = ({ request: { code, kind } }, callback) => {
    seen.calls++
    const metadata = new Metadata()
    const details = failureDetails[kind as string]
    if (details === 'garbage') metadata.set('grpc-status-details-bin', Buffer.from([0xff, 0xff, 0xff]))
    else if (details !== undefined) {
      metadata.set(
        'grpc-status-details-bin',
        Buffer.from(status.serialize({ code, message: 'as asked', details })),
      )
    }
    callback({ code, details: `as asked: ${kind} ü`, metadata })
  }
  const metadata: Unary = (call, callback) => {
    const initial = new Metadata()
    initial.set('x-shelf', '7')
    initial.set('x-bytes-bin', Buffer.from([0, 255]))
    call.sendMetadata(initial)
    const seenPairs = Object.entries(call.metadata.toHttp2Headers()).map(([name, value]) => [
      name,
      String(value),
    ])
    const remaining = Math.round(Number(call.getDeadline()) - Date.now())
    const trailing = new Metadata()
    trailing.set('x-weight', '3')
    callback(
      null,
      { metadata: { ...Object.fromEntries(seenPairs), 'x-remaining': String(remaining) } },
      trailing,
    )
  }
  const hang: Unary = (call) => {
    seen.calls++
    call.on('cancelled', () => cancel())
  }
  const count: Streaming = async (call) => {
    const {
      to,
      fail_after: failAfter,
      bytes,
    } = call.request as { to: number; fail_after: number; bytes: number }
    let open = true
    call.on('cancelled', () => {
      open = false
      cancel()
    })
    for (let number = 1; open && (to === 0 || number <= to); number++) {
      if (failAfter !== 0 && number > failAfter) {
        call.emit('error', { code: 10, details: 'broke off' })
        return
      }
      seen.sent++
      const roomLeft = call.write({ number, padding: Buffer.alloc(bytes) })
      if (!roomLeft)
        await new Promise<void>((resolve) => call.once('drain', resolve).once('cancelled', resolve))
      else if (to === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    const trailing = new Metadata()
    trailing.add('x-weight', '3')
    trailing.add('x-weight', '4')
    if (open) call.end(trailing)
  }
  const download: Streaming = (call) => {
    for (let n = 0; n < call.request.to; n++)
      call.write({ content_type: 'text/csv', data: Buffer.from(`row ${n}\n`) })
    if (call.request.fail_after > 0) call.emit('error', { code: 13, details: 'broke off' })
    else call.end()
  }
  const upload: Unary = ({ request: { name, file } }, callback) => {
    callback(null, { content_type: file.content_type, data: Buffer.from(`${name}:${file.data.toString()}`) })
  }
  const nothing: Unary = (_call, callback) => callback(null, {})
  const implementation: UntypedServiceImplementation = {
    Echo: echo,
    Part: (call: Parameters<Unary>[0], callback: Parameters<Unary>[1]) => {
      const full = call.request.flag === true
      callback(null, full ? { text: 't', child: { text: 'c' }, items: [{ sku: 's' }] } : {})
    },
    Nothing: nothing,
    Upload: upload,
    Fail: fail,
    Put: fail,
    Hang: hang,
    Metadata: metadata,
    Count: count,
    Download: download,
    Gather: () => {},
    Old: echo,
    Unbound: nothing,
    Peek: echo,
  }
  const backend = await startBackend(kitchenProto, { [kitchenName]: implementation })
  return { ...backend, seen }
}

/** A house with one kitchen behind it. */
export async function kitchenHouse(
  url: string,
  { timeoutMs = 5_000, more = {}, ...rest }: KitchenOptions = {},
): Promise<House> {
  return openHouse([kitchenProto], [serviceOf(kitchenName, upstreamOf([url], timeoutMs), more)], rest)
}

type KitchenOptions = NonNullable<Parameters<typeof openHouse>[2]> & {
  readonly timeoutMs?: number
  readonly more?: Parameters<typeof serviceOf>[2]
}

const failureDetails: Record<string, object[] | 'garbage' | undefined> = {
  retry: [
    { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: { seconds: 2, nanos: 500_000_000 } },
  ],
  known: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'NO_FLOUR', domain: 'kitchen' }],
  unknown: [{ type_url: 'type.googleapis.com/acme.Unheard', value: Buffer.from([1, 2, 3]) }],
  garbage: 'garbage',
}
