import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import { startGateway } from '../../../world.ts'
import { googleProtos, testProtos } from '../harness.ts'
import { kitchenName, kitchenProto } from '../kitchen.ts'

// What strangers and broken backends send through a running gateway: each gets a clear status, and nothing of it stays.

const json = { 'Content-Type': 'application/json' }
const bomb = gzipSync(Buffer.alloc(50_000_000))

/** [what, body, status, words of the answer, headers] */
const requests: readonly [string, string | Buffer, number, RegExp, Record<string, string>?][] = [
  ['a body that is cut off', '{"text":"a', 400, /not valid JSON at byte/],
  ['a body above the limit', `{"text":"${'x'.repeat(300_000)}"}`, 413, /larger than/],
  ['invalid UTF-8', Buffer.from('{"text":"\xff"}', 'latin1'), 400, /UTF-8/],
  ['10,000 levels', `${'{"child":'.repeat(10_000)}{}${'}'.repeat(10_000)}`, 400, /deep|nested|level/],
  ['a hundred thousand elements', `{"colors":[${'1,'.repeat(99_999)}1]}`, 200, /"colors"/],
  ['a __proto__ key', '{"__proto__":{"text":"x"}}', 400, /__proto__/],
  ['a constructor key', '{"constructor":1}', 400, /constructor/],
  ['another content type', '{}', 415, /application\/json/, { 'Content-Type': 'text/plain' }],
  ['a compressed bomb', bomb, 415, /content coding/, { ...json, 'Content-Encoding': 'gzip' }],
  ['metadata that is no base64', '{}', 400, /base64/, { ...json, 'Grpc-Metadata-X-Bin': '%%' }],
  ['a time limit that is none', '{}', 400, /Grpc-Timeout/i, { ...json, 'Grpc-Timeout': 'soon' }],
]

const grpcHead = { ':status': 200, 'content-type': 'application/grpc' }
const fine = { 'grpc-status': '0' }

function framed(message: Buffer, flag = 0): Buffer {
  const head = Buffer.from([flag, 0, 0, 0, 0])
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

function whole(
  stream: ServerHttp2Stream,
  bytes: Buffer,
  trailers: Record<string, string> = fine,
  head = {},
): void {
  stream.respond({ ...grpcHead, ...head }, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers(trailers))
  stream.end(bytes)
}

/** [what, how the backend answers, status] */
const answers: readonly [string, (stream: ServerHttp2Stream) => void, number][] = [
  ['bytes that are no message', (stream) => whole(stream, framed(Buffer.from('ffffffff', 'hex'))), 502],
  ['bytes that are no frame', (stream) => whole(stream, Buffer.from('<html>')), 502],
  ['a message above the limit', (stream) => whole(stream, framed(Buffer.alloc(300_000))), 502],
  ['a compressed bomb', (stream) => whole(stream, framed(bomb, 1), fine, { 'grpc-encoding': 'gzip' }), 502],
  [
    'a status that is no number',
    (stream) => whole(stream, framed(Buffer.alloc(0)), { 'grpc-status': 'x' }),
    502,
  ],
  ['no trailers', (stream) => stream.respond(grpcHead, { endStream: true }), 502],
  ['RST_STREAM', (stream) => stream.close(2), 502],
  [
    'half a message and RST_STREAM',
    (stream) => {
      stream.respond(grpcHead)
      stream.write(framed(Buffer.alloc(100)).subarray(0, 50), () => stream.close(2))
    },
    502,
  ],
  [
    'half a message and a lost connection',
    (stream) => {
      stream.respond(grpcHead)
      stream.write(framed(Buffer.alloc(100)).subarray(0, 50), () => stream.session?.destroy())
    },
    502,
  ],
]

let answer: (stream: ServerHttp2Stream) => void = () => {}

async function start(t: TestContext): Promise<string> {
  const backend = createServer()
  // What a broken backend does to itself is no news.
  backend.on('sessionError', () => {})
  backend.on('stream', (stream) => {
    stream.on('error', () => {})
    const parts: Buffer[] = []
    stream.on('data', (part: Buffer) => parts.push(part))
    stream.on('end', () => answer(stream))
    stream.resume()
    Object.assign(stream, { parts })
  })
  backend.listen(0, '127.0.0.1')
  await once(backend, 'listening')
  t.after(() => backend.close())
  const { url } = await startGateway(t, {
    server: { limits: { bodyBytes: '256kb' } },
    upstreams: {
      kitchen: { targets: [{ url: `http://127.0.0.1:${(backend.address() as AddressInfo).port}` }] },
    },
    grpc: {
      protos: [kitchenProto],
      includeDirs: [testProtos, googleProtos],
      messageBytes: '256kb',
      services: { [kitchenName]: { upstream: 'kitchen', auth: 'none' } },
    },
  })
  return url
}

function echo(stream: ServerHttp2Stream): void {
  whole(stream, Buffer.concat((stream as unknown as { readonly parts: Buffer[] }).parts))
}

test('bad requests and bad answers get a clear status each, and leave nothing behind', async (t) => {
  const url = await start(t)
  const askRequests = async (): Promise<void> => {
    answer = echo
    for (const [what, body, status, words, headers = json] of requests) {
      const got = await fetch(`${url}/v1/echo`, { method: 'POST', headers, body: body as string })
      const text = await got.text()
      assert.equal(got.status, status, `${what}: ${text.slice(0, 300)}`)
      assert.match(text, words, what)
    }
  }
  const askAnswers = async (): Promise<void> => {
    for (const [what, how, status] of answers) {
      answer = how
      const got = await fetch(`${url}/v1/echo`, { method: 'POST', headers: json, body: '{}' })
      const { code, message } = (await got.json()) as { code: number; message: string }
      assert.equal(got.status, status, `a backend that sends ${what}: ${code} ${message}`)
      assert.ok(message.length > 0)
    }
  }
  const collect = gc()
  const heap = (): number => {
    collect()
    return process.memoryUsage().heapUsed / 1e6
  }
  for (let i = 0; i < 3; i++) {
    await askRequests()
    await askAnswers()
  }
  const before = heap()
  for (let i = 0; i < 10; i++) {
    await askRequests()
    await askAnswers()
  }
  const after = heap()
  t.diagnostic(`heap after 3 rounds ${before.toFixed(1)} MB, after 13 rounds ${after.toFixed(1)} MB`)
  assert.ok(after - before < 8, `${after - before} MB more`)
  assert.equal(({} as { text?: string }).text, undefined)
  answer = echo
  assert.equal((await fetch(`${url}/v1/echo`, { method: 'POST', headers: json, body: '{}' })).status, 200)
})

function gc(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}
