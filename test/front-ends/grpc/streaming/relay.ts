import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { TestContext } from 'node:test'
import type {
  handleBidiStreamingCall,
  handleClientStreamingCall,
  handleServerStreamingCall,
  UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { type House, openHouse, serviceOf, startBackend, testProtos, upstreamOf } from '../harness.ts'

export const relayProto = join(testProtos, 'relay/v1/relay.proto')
export const relayName = 'relay.v1.Relay'

/** What the backend saw. */
export interface RelaySeen {
  /** Items that `Sum` and `Echo` read. */
  items: number
  sum: number
  readonly cancelled: Promise<void>
  /** Lets a call read on that was asked to sleep. */
  wake(): void
}

/** A relay with a gateway's front-end before it, both ended with the test. */
export interface TestRelay {
  readonly house: House
  readonly seen: RelaySeen
  /** Ends the backend. */
  kill(): void
  /** Opens a request whose body is written by the test; its errors are ignored. */
  open(path: string, headers?: Record<string, string>): ClientRequest
}

export async function startRelay(t: TestContext, messageBytes = 65_536): Promise<TestRelay> {
  const { seen, ...backend } = await startRelayBackend(t)
  const house = await openHouse([relayProto], [serviceOf(relayName, upstreamOf([backend.url]))], {
    messageBytes,
  })
  t.after(() => house.close())
  return {
    house,
    seen,
    kill: () => backend.close(),
    open(path, headers = {}) {
      const sent = request(house.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson', accept: 'application/x-ndjson', ...headers },
      })
      sent.on('error', () => {})
      return sent
    },
  }
}

/** The backend alone. */
export async function startRelayBackend(
  t: TestContext,
): Promise<{ readonly url: string; readonly seen: RelaySeen; close(): void }> {
  let cancel = (): void => {}
  const seen: RelaySeen = {
    items: 0,
    sum: 0,
    cancelled: new Promise((resolve) => (cancel = resolve)),
    wake() {},
  }
  const backend = await startBackend(relayProto, { [relayName]: service(seen, () => cancel()) })
  t.after(() => backend.close())
  return { ...backend, seen }
}

/** The head of the answer. */
export async function answerOf(sent: ClientRequest): Promise<IncomingMessage> {
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  return answer.on('error', () => {})
}

/** The value once it has not changed for a quarter of a second. */
export async function untilSteady(read: () => number): Promise<number> {
  let value = -1
  for (let still = 0; still < 5; ) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    still = read() === value ? still + 1 : 0
    value = read()
  }
  return value
}

// biome-ignore lint/suspicious/noExplicitAny: messages as proto-loader has them.
type Taking = handleClientStreamingCall<any, any>
// biome-ignore lint/suspicious/noExplicitAny: messages as proto-loader has them.
type Both = handleBidiStreamingCall<any, any>
// biome-ignore lint/suspicious/noExplicitAny: messages as proto-loader has them.
type Listing = handleServerStreamingCall<any, any>

function service(seen: RelaySeen, cancelled: () => void): UntypedServiceImplementation {
  const sleep = (call: Readable): void => {
    call.pause()
    seen.wake = () => call.resume()
  }
  const sum: Taking = (call, callback) => {
    const texts: string[] = []
    let count = 0
    let total = 0
    call.on('cancelled', cancelled)
    call.on('data', (item) => {
      seen.items++
      count++
      total += Number(item.number)
      seen.sum = total
      if (texts.length < 10) texts.push([item.label, item.note?.text].filter(Boolean).join('/'))
      if (item.please === 'fail') callback({ code: 9, details: 'as asked' })
      if (item.please === 'answer') callback(null, { count, sum: total, text: 'early' })
      if (item.please === 'sleep') sleep(call)
    })
    call.on('end', () => callback(null, { count, sum: total, text: texts.join(' ').trim() }))
  }
  const echo: Both = (call) => {
    call.on('cancelled', cancelled)
    call.on('data', (item) => {
      seen.items++
      if (item.please === 'fail') call.emit('error', { code: 9, details: 'as asked' })
      else if (item.please === 'answer') call.end()
      else if (item.please === 'sleep') sleep(call)
      else if (!call.write(item)) {
        call.pause()
        call.once('drain', () => call.resume())
      }
    })
    call.on('end', () => call.end())
  }
  const store: Taking = (call, callback) => {
    const parts: Buffer[] = []
    const names = new Set<string>()
    call.on('data', ({ name, file }) => {
      names.add(`${name} ${file.content_type}`)
      parts.push(file.data)
    })
    call.on('end', () =>
      callback(null, { count: parts.length, sum: Buffer.concat(parts).length, text: [...names].join() }),
    )
  }
  const list: Listing = (call) => {
    for (let number = 1; number <= Number(call.request.number); number++) call.write({ number })
    call.end()
  }
  return { Sum: sum, Echo: echo, List: list, Store: store }
}
