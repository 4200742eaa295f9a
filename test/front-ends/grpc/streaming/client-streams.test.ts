import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { answerOf, startRelay, untilSteady } from './relay.ts'

const ndjson = { 'content-type': 'application/x-ndjson' }
const items = [{ number: '1', label: 'a' }, { number: 2 }, { number: 3, note: { text: 'ü' } }]
const three = { count: '3', sum: '6', text: 'a  ü' }

const bodies: readonly [name: string, headers: Record<string, string>, body: string, expected: object][] = [
  ['NDJSON', ndjson, items.map((item) => JSON.stringify(item)).join('\n'), three],
  [
    'NDJSON with empty lines',
    ndjson,
    `\n${items.map((item) => `${JSON.stringify(item)}\r\n\n`).join('')}`,
    three,
  ],
  ['a JSON array', {}, JSON.stringify(items, undefined, 2), three],
  ['an array without elements', {}, '[]', {}],
  ['no lines', ndjson, '\n', {}],
  ['no bytes', {}, '', {}],
]
for (const [name, headers, body, expected] of bodies) {
  test(`${name} is a stream of messages`, async (t) => {
    const { house } = await startRelay(t)
    const { status, json } = await house.ask('POST', '/v1/sum', { headers, body })
    assert.deepEqual([status, json], [200, expected])
    assert.equal(house.settled[0]?.requestBytes, Buffer.byteLength(body))
  })
}

test('path and query go into every message, and the body may be one field', async (t) => {
  const { house } = await startRelay(t)
  const body = '{"text":"x"}\n{"text":"y"}\n'
  const { json } = await house.ask('POST', '/v1/sum/z?number=4', { headers: ndjson, body })
  assert.deepEqual(json, { count: '2', sum: '8', text: 'z/x z/y' })
})

test('a binding without a body sends the one message that path and query are', async (t) => {
  const { house } = await startRelay(t)
  const { json } = await house.ask('GET', '/v1/sum/z/5')
  assert.deepEqual(json, { count: '1', sum: '5', text: 'z' })
})

test('a body of raw bytes is a stream of HttpBody', async (t) => {
  const { house } = await startRelay(t)
  const body = Buffer.alloc(200_001, 7)
  const { json } = await house.ask('POST', '/v1/store/n', { headers: { 'content-type': 'text/csv' }, body })
  assert.deepEqual([json.sum, json.text], ['200001', 'n text/csv'])
})

const refusals: readonly [name: string, headers: Record<string, string>, body: string, expected: Refusal][] =
  [
    [
      'a value that does not fit',
      ndjson,
      '{"number":1}\n{"note":{"tags":["a",7]}}\n',
      [400, /^Message \[1\]: .*note\.tags\[1\]/, '[1].note.tags[1]'],
    ],
    ['a field that is unknown', {}, '[{"number":1},{},{"numbr":1}]', [400, /^Message \[2\]: /, '[2].numbr']],
    [
      'an element that is no JSON',
      {},
      '[{"number":1},{"number":}]',
      [400, /^Message \[1\]: .*not valid JSON/, '[1].number'],
    ],
    ['a line that is cut off', ndjson, '{}\n{"number":', [400, /^Message \[1\]: .*not valid JSON/]],
    [
      'a body that ends in an element',
      {},
      '[{},{"number":1',
      [400, /^Message \[1\]: The body ends within the array/, '[1]'],
    ],
    ['no array', {}, '{"number":1}', [400, /must be a JSON array/, '[0]']],
    [
      'an element above the limit',
      {},
      `[{},{"label":"${'x'.repeat(70_000)}"}]`,
      [413, /^Message \[1\]: .*larger than 65536/, '[1]'],
    ],
    ['another content type', { 'content-type': 'text/plain' }, '{}', [415, /application\/x-ndjson/]],
    ['a content coding', { ...ndjson, 'content-encoding': 'gzip' }, '{}', [415, /content coding/]],
  ]
type Refusal = readonly [status: number, message: RegExp, field?: string]

for (const [name, headers, body, [status, message, field]] of refusals) {
  test(`refuses ${name}`, async (t) => {
    const { house, seen } = await startRelay(t)
    const answer = await house.ask('POST', '/v1/sum', { headers, body })
    assert.equal(answer.status, status, answer.text)
    assert.match(answer.json.message, message)
    if (field !== undefined) assert.equal(answer.json.details[1].fieldViolations[0].field, field)
    if (status !== 415 && seen.items > 0) await seen.cancelled
  })
}

test('invalid UTF-8 is refused, and characters that are cut by chunks are whole', async (t) => {
  const { house, open } = await startRelay(t)
  const bad = await house.ask('POST', '/v1/sum', {
    headers: ndjson,
    body: Buffer.from('{"label":"\xff"}', 'latin1'),
  })
  assert.equal(bad.status, 400)
  const sent = open('/v1/sum')
  for (const byte of Buffer.from('{"label":"€😀"}')) {
    sent.write(Buffer.from([byte]))
    await new Promise((resolve) => setImmediate(resolve))
  }
  sent.end()
  const answer = await answerOf(sent)
  assert.match(String(await once(answer, 'data')), /€😀/)
})

test('messages reach the backend while the body still comes', async (t) => {
  const { seen, open } = await startRelay(t)
  const sent = open('/v1/sum')
  sent.write('{"number":1}\n{"num')
  while (seen.items < 1) await new Promise((resolve) => setTimeout(resolve, 5))
  sent.end('ber":2}')
  const answer = await answerOf(sent)
  assert.deepEqual(JSON.parse(String(await once(answer, 'data'))), { count: '2', sum: '3' })
})

for (const [please, status] of [
  ['fail', 400],
  ['answer', 200],
] as const) {
  test(`a backend that says "${please}" before the end is heard while the client sends`, async (t) => {
    const { open } = await startRelay(t)
    const sent = open('/v1/sum')
    sent.write(`{"please":"${please}"}\n`)
    const answer = await answerOf(sent)
    assert.deepEqual([answer.statusCode, answer.headers.connection], [status, 'close'])
    answer.resume()
    sent.write('{"number":7}\n')
    await once(answer, 'end')
  })
}

test('a client that goes cancels the call', async (t) => {
  const { house, seen, open } = await startRelay(t)
  const sent = open('/v1/sum')
  sent.write('{"number":1}\n{"number":2}\n{"num')
  while (seen.items < 2) await new Promise((resolve) => setTimeout(resolve, 5))
  sent.destroy()
  await seen.cancelled
  while (house.settled.length === 0) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(house.settled[0]?.error?.reason, 'CLIENT_GONE')
})

test('a backend that dies in the middle is 502', async (t) => {
  const { seen, open, kill } = await startRelay(t)
  const sent = open('/v1/sum')
  sent.write('{"number":1}\n')
  while (seen.items < 1) await new Promise((resolve) => setTimeout(resolve, 5))
  kill()
  assert.equal((await answerOf(sent)).statusCode, 502)
})

test('a backend that stops reading stops the client, and goes on with it', async (t) => {
  const { open, seen } = await startRelay(t)
  const sent = open('/v1/sum')
  sent.write('{"please":"sleep"}\n')
  const line = `{"number":1,"padding":"${'A'.repeat(16_000)}"}\n`
  let taken = 0
  const more = (): void => {
    while (taken < 5_000) {
      taken++
      if (!sent.write(line)) return
    }
    sent.off('drain', more).end()
  }
  sent.on('drain', more)
  more()
  const stopped = await untilSteady(() => taken)
  assert.ok(stopped < 3_000, `${stopped} messages of 16 KB went to a backend that reads nothing`)
  t.diagnostic(`${stopped} messages of 16 KB were taken`)
  seen.wake()
  const answer = await answerOf(sent)
  answer.resume()
  assert.deepEqual([answer.statusCode, seen.sum], [200, 5_000])
})

test('100,000 messages go through in flat memory', async (t) => {
  const { open, seen } = await startRelay(t)
  const sent = open('/v1/sum', { 'content-type': 'application/json' })
  const before = process.memoryUsage().rss
  let most = 0
  sent.write('[{"number":0}')
  const batch = Array.from({ length: 100 }, () => `,{"number":1,"label":"${'x'.repeat(200)}"}`).join('')
  for (let i = 0; i < 1_000; i++) {
    if (!sent.write(batch)) await once(sent, 'drain')
    if (i % 50 === 0) most = Math.max(most, process.memoryUsage().rss - before)
  }
  sent.end(']')
  const answer = await answerOf(sent)
  answer.resume()
  assert.deepEqual([seen.items, seen.sum], [100_001, 100_000])
  t.diagnostic(`RSS grew by ${Math.round(most / 2 ** 20)} MiB at the most`)
  assert.ok(most < 200 * 2 ** 20, `${most} bytes`)
})
