import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { after, before, test } from 'node:test'
import { type House, openHouse, serviceOf, upstreamOf } from './harness.ts'
import { kitchenHouse, kitchenName, kitchenProto, startKitchen } from './kitchen.ts'

let kitchen: Awaited<ReturnType<typeof startKitchen>>
let house: House

before(async () => {
  kitchen = await startKitchen()
  house = await kitchenHouse(kitchen.url)
})
after(async () => {
  await house.close()
  kitchen.close()
})

const ndjson = { accept: 'application/x-ndjson' }
const sse = { accept: 'text/event-stream' }
const framings: readonly [accept: string | undefined, type: string][] = [
  [undefined, 'application/json'],
  ['*/*', 'application/json'],
  ['application/json', 'application/json'],
  ['application/x-ndjson', 'application/x-ndjson'],
  ['Application/X-NDJSON;q=0.5, text/html', 'application/x-ndjson'],
  ['application/x-ndjson;q=0.5, application/json', 'application/json'],
  ['application/x-ndjson;q=0', 'application/json'],
  ['text/event-stream', 'text/event-stream'],
  ['text/event-stream;q=0.9, application/json;q=0.8', 'text/event-stream'],
  ['text/event-stream;q=0.5, application/x-ndjson', 'application/x-ndjson'],
  ['text/event-stream;q=0', 'application/json'],
]
for (const [accept, type] of framings) {
  test(`Accept: ${accept} gives ${type}`, async () => {
    const { status, headers, text } = await house.ask('GET', '/v1/count/3', {
      headers: accept === undefined ? {} : { accept },
    })
    assert.deepEqual([status, headers['content-type']], [200, type])
    const parse = type === 'application/json' ? JSON.parse : type === sse.accept ? events : lines
    assert.deepEqual(parse(text), [{ number: 1 }, { number: 2 }, { number: 3 }])
    assert.equal(headers['cache-control'], type === sse.accept ? 'no-cache' : undefined)
  })
}

test('a stream of nothing is an empty array, or no line', async () => {
  const none = await house.ask('GET', '/v1/download/0')
  const array = await house.ask('GET', '/v1/count/-1')
  const noLines = await house.ask('GET', '/v1/count/-1', { headers: ndjson })
  assert.deepEqual([array.text, noLines.text, none.text], ['[]', '', ''])
})

test('an error before the first message has its HTTP status', async () => {
  const early = await kitchenHouse(kitchen.url)
  const { status, json } = await early.ask('GET', '/v1/count/many')
  await early.close()
  assert.deepEqual([status, json.code], [400, 3])
})

for (const [name, headers, parse] of [
  ['a JSON array', {}, (text: string) => JSON.parse(text)],
  ['NDJSON', ndjson, lines],
  ['server-sent events', sse, events],
] as const) {
  test(`an error after the first message is the last element of ${name}`, async () => {
    const { status, text } = await house.ask('GET', '/v1/count/9?fail_after=2', { headers })
    const error = { code: 10, message: 'broke off', details: [] }
    assert.equal(status, 200)
    assert.deepEqual(parse(text), [{ number: 1 }, { number: 2 }, { error }])
    assert.equal(house.settled.at(-1)?.attributes['rpc.grpc.status_code'], 10)
  })

  test(`a backend that dies is the last element of ${name}`, async () => {
    const mortal = await startKitchen()
    const mourning = await kitchenHouse(mortal.url)
    const { sent, answer } = await open(`${mourning.url}/v1/count/0`, headers)
    await once(answer, 'data')
    mortal.close()
    let text = ''
    answer.setEncoding('utf8').on('data', (chunk) => (text += chunk))
    await once(answer, 'end')
    sent.destroy()
    const reason = mourning.settled[0]?.error?.reason
    await mourning.close()
    assert.match(text, /\{"code":14,"message":"Upstream \\"kitchen\\" closed the connection\."/)
    assert.ok(text.endsWith({ NDJSON: '}\n', 'a JSON array': '}]', 'server-sent events': '}\n\n' }[name]))
    assert.equal(reason, 'UPSTREAM_RESET')
  })
}

test('the first message is visible while the stream goes on', async () => {
  const endless = await startKitchen()
  const watching = await kitchenHouse(endless.url)
  const { sent, answer } = await open(`${watching.url}/v1/count/0`, ndjson)
  const [first] = (await once(answer, 'data')) as [Buffer]
  assert.match(first.toString(), /^\{"number":1\}\n/)
  sent.destroy()
  await endless.seen.cancelled
  await watching.close()
  endless.close()
})

test('a client that does not read stops the backend, and one that goes cancels it', async () => {
  const endless = await startKitchen()
  const slow = await kitchenHouse(endless.url)
  const { sent, answer } = await open(`${slow.url}/v1/count/1000000?bytes=16384`, ndjson)
  answer.pause()
  const before = await untilSteady(() => endless.seen.sent)
  assert.ok(before < 3_000, `${before} messages of 16 KiB were sent to a client that reads nothing`)
  answer.resume()
  while (endless.seen.sent < before + 100) await once(answer, 'data')
  sent.destroy()
  await endless.seen.cancelled
  await slow.close()
  endless.close()
})

test('a call is over when a client goes that did not read', async () => {
  const endless = await startKitchen()
  const upstream = upstreamOf([endless.url])
  const slow = await openHouse([kitchenProto], [serviceOf(kitchenName, upstream)])
  const { sent, answer } = await open(`${slow.url}/v1/count/1000000?bytes=16384`, ndjson)
  answer.pause()
  await untilSteady(() => endless.seen.sent)
  sent.destroy()
  await endless.seen.cancelled
  while (upstream.endpoints[0]?.active !== 0) await new Promise((resolve) => setImmediate(resolve))
  await slow.close()
  endless.close()
})

test('HEAD gets the head of a stream, and the stream is cancelled', async () => {
  const endless = await startKitchen()
  const asking = await kitchenHouse(endless.url)
  const { status, text, headers } = await asking.ask('HEAD', '/v1/count/0')
  await endless.seen.cancelled
  assert.deepEqual([status, text, headers['content-type']], [200, '', 'application/json'])
  assert.equal(asking.settled[0]?.error, undefined)
  await asking.close()
  endless.close()
})

test('a stream of HttpBody is its bytes, and one that breaks is visibly cut off', async () => {
  const { headers, text } = await house.ask('GET', '/v1/download/2')
  assert.deepEqual([headers['content-type'], text], ['text/csv', 'row 0\nrow 1\n'])
  await assert.rejects(house.ask('GET', '/v1/download/2?fail_after=1'))
})

/** The data of each event; an event of type `error` as `{error}`. */
function events(text: string): unknown[] {
  assert.ok(text.endsWith('\n\n'))
  return text
    .slice(0, -2)
    .split('\n\n')
    .map((event) => {
      const match = /^(event: error\n)?data: (.*)$/.exec(event)
      assert.ok(match?.[2] !== undefined, event)
      return match[1] === undefined ? JSON.parse(match[2]) : { error: JSON.parse(match[2]) }
    })
}

function lines(text: string): unknown[] {
  assert.ok(text.endsWith('\n'))
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

/** The value once it has not changed for a quarter of a second. */
async function untilSteady(read: () => number): Promise<number> {
  let value = -1
  for (let still = 0; still < 5; ) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    still = read() === value ? still + 1 : 0
    value = read()
  }
  return value
}

async function open(
  url: string,
  headers: Record<string, string>,
): Promise<{ sent: ReturnType<typeof request>; answer: IncomingMessage }> {
  const sent = request(url, { headers })
  sent.on('error', () => {})
  sent.end()
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  answer.on('error', () => {})
  return { sent, answer }
}
