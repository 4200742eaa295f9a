import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { answerOf, startRelay, untilSteady } from './relay.ts'

test('each message is answered while the body still comes', async (t) => {
  const { open } = await startRelay(t)
  const sent = open('/v1/relay')
  sent.write('{"number":1}\n')
  const answer = await answerOf(sent)
  const read = lineReader(answer)
  assert.deepEqual(await read(), { number: '1' })
  for (let number = 2; number < 50; number++) {
    sent.write(`{"number":${number}}\n`)
    assert.deepEqual(await read(), { number: String(number) })
  }
  sent.end()
  assert.equal(await read(), undefined)
})

const framings: readonly [accept: string, body: string, contentType: string, whole: string][] = [
  [
    'application/json',
    '{"number":1}\n{"number":2}',
    'application/x-ndjson',
    '[{"number":"1"},\n{"number":"2"}]',
  ],
  [
    'application/x-ndjson',
    '[{"number":1},{"number":2}]',
    'application/json',
    '{"number":"1"}\n{"number":"2"}\n',
  ],
  ['text/event-stream', '[{"number":1}]', 'application/json', 'data: {"number":"1"}\n\n'],
  ['application/json', '[]', 'application/json', '[]'],
]
for (const [accept, body, contentType, whole] of framings) {
  test(`${body} as ${contentType} is answered as ${accept}`, async (t) => {
    const { house } = await startRelay(t)
    const headers = { accept, 'content-type': contentType }
    const { status, text } = await house.ask('POST', '/v1/relay', { headers, body })
    assert.deepEqual([status, text], [200, whole])
  })
}

const lateErrors: readonly [accept: string, before: string, after: string][] = [
  ['application/json', ',\n{"error":', '}]'],
  ['application/x-ndjson', '{"error":', '}\n'],
  ['text/event-stream', 'event: error\ndata: ', '\n\n'],
]
const lateCauses: readonly [name: string, line: string, code: number, message: RegExp][] = [
  ['a refusal of the backend', '{"please":"fail"}\n', 9, /^as asked$/],
  ['a message that does not fit', '{"number":"many"}\n', 3, /^Message \[1\]: .*number/],
  ['a message above the limit', `{"label":"${'x'.repeat(70_000)}"}\n`, 8, /^Message \[1\]: .*larger than/],
]
for (const [accept, before, after] of lateErrors) {
  for (const [name, line, code, message] of lateCauses) {
    test(`${name} after the first answer is the last element of ${accept}`, async (t) => {
      const { open, seen } = await startRelay(t)
      const sent = open('/v1/relay', { accept })
      sent.write('{"number":1}\n')
      const answer = (await answerOf(sent)).setEncoding('utf8')
      await once(answer, 'data')
      let rest = ''
      answer.on('data', (text) => (rest += text))
      sent.write(line)
      await once(answer, 'end')
      assert.ok(rest.startsWith(before) && rest.endsWith(after), rest)
      const status = JSON.parse(rest.slice(before.length, -after.length))
      assert.equal(status.code, code)
      assert.match(status.message, message)
      await seen.cancelled
    })
  }
}

test('a malformed first message is 400', async (t) => {
  const { house } = await startRelay(t)
  const headers = { 'content-type': 'application/x-ndjson' }
  const { status, json } = await house.ask('POST', '/v1/relay', { headers, body: '{"number":}' })
  assert.equal(status, 400)
  assert.match(json.message, /^Message \[0\]: /)
})

test('a backend that ends first ends the answer, though the client still sends', async (t) => {
  const { open } = await startRelay(t)
  const sent = open('/v1/relay')
  sent.write('{"number":1}\n')
  const read = lineReader(await answerOf(sent))
  await read()
  sent.write('{"please":"answer"}\n{"number":2}\n')
  assert.equal(await read(), undefined)
})

test('a client that goes cancels the call', async (t) => {
  const { open, seen, house } = await startRelay(t)
  const sent = open('/v1/relay')
  sent.write('{"number":1}\n{"num')
  await lineReader(await answerOf(sent))()
  sent.destroy()
  await seen.cancelled
  while (house.settled.length === 0) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(house.settled[0]?.error?.reason, 'CLIENT_GONE')
})

test('a client that does not read stops the backend, and then itself', async (t) => {
  const { open, seen } = await startRelay(t)
  const sent = open('/v1/relay')
  const line = `{"label":"${'x'.repeat(16_000)}"}\n`
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
  const answer = await answerOf(sent)
  answer.pause()
  const stopped = await untilSteady(() => taken)
  t.diagnostic(`${stopped} messages of 16 KB were taken, the backend saw ${seen.items}`)
  assert.ok(stopped < 3_000, `${stopped} messages of 16 KB were taken from a client that reads nothing`)
  const read = lineReader(answer)
  let count = 0
  while ((await read()) !== undefined) count++
  assert.equal(count, 5_000)
})

test('100,000 messages come back in flat memory', async (t) => {
  const { open } = await startRelay(t)
  const sent = open('/v1/relay')
  const before = process.memoryUsage().rss
  let most = 0
  let lines = 0
  const answered = answerOf(sent).then(async (answer) => {
    for await (const piece of answer) for (const byte of piece as Buffer) if (byte === 0x0a) lines++
  })
  const batch = Array.from({ length: 100 }, () => `{"number":1,"label":"${'x'.repeat(200)}"}\n`).join('')
  for (let i = 0; i < 1_000; i++) {
    if (!sent.write(batch)) await once(sent, 'drain')
    if (i % 50 === 0) most = Math.max(most, process.memoryUsage().rss - before)
  }
  sent.end()
  await answered
  assert.equal(lines, 100_000)
  t.diagnostic(`RSS grew by ${Math.round(most / 2 ** 20)} MiB at the most`)
  assert.ok(most < 200 * 2 ** 20, `${most} bytes`)
})

/** Reads one line of an answer after another; undefined after the last. */
function lineReader(answer: IncomingMessage): () => Promise<unknown> {
  const lines = (async function* () {
    let rest = ''
    for await (const piece of answer.setEncoding('utf8')) {
      const parts = (rest + piece).split('\n')
      rest = parts.pop() ?? ''
      for (const part of parts) yield JSON.parse(part) as unknown
    }
  })()
  return async () => (await lines.next()).value
}
