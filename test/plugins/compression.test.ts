import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import {
  brotliDecompressSync,
  createBrotliDecompress,
  createGunzip,
  createZstdDecompress,
  gunzipSync,
} from 'node:zlib'
import { type CodingName, chooseCoding } from '../../src/plugins/compression/negotiate.ts'
import { askHttp2, connectHttp2 } from '../listener/http2-client.ts'
import { startBackend, startGateway } from '../world.ts'

const all: readonly CodingName[] = ['zstd', 'br', 'gzip']

const choices: readonly [accept: string | undefined, chosen: CodingName | undefined, source: string][] = [
  ['compress, gzip', 'gzip', 'RFC 9110 section 12.5.3, first example'],
  ['', undefined, 'RFC 9110 section 12.5.3, second example: no coding is wanted'],
  ['*', 'zstd', 'RFC 9110 section 12.5.3, third example'],
  ['compress;q=0.5, gzip;q=1.0', 'gzip', 'RFC 9110 section 12.5.3, fourth example'],
  ['gzip;q=1.0, identity; q=0.5, *;q=0', 'gzip', 'RFC 9110 section 12.5.3, fifth example'],
  [undefined, undefined, 'section 12.5.3: any coding would do; none is safest'],
  ['gzip;q=0', undefined, 'section 12.4.2: 0 is "not acceptable"'],
  ['*;q=0', undefined, 'section 12.5.3: "*" is every coding that is not named'],
  ['*, zstd;q=0', 'br', 'section 12.5.3: a named coding is not in "*"'],
  ['gzip;q=0.5, br;q=0.4', 'gzip', 'section 12.5.3: the highest non-zero weight is preferred'],
  ['br, gzip, zstd', 'zstd', 'alike: the first that is offered'],
  ['identity, gzip;q=0.5', undefined, 'identity is preferred by name'],
  ['identity;q=0', undefined, 'section 12.5.3: nothing else is acceptable; sent as it is'],
  ['x-gzip', 'gzip', 'section 8.4.1.3: x-gzip is gzip'],
  ['GZIP', 'gzip', 'section 8.4.1: codings are case-insensitive'],
  ['gzip ; Q=0.8', 'gzip', 'section 5.6.6: parameter names are case-insensitive, with spaces around ";"'],
  ['gzip;q=1.5, br;q=x', undefined, 'section 12.4.2: what is no weight is passed over'],
  ['deflate, gzip;q=1.0, *;q=0.5', 'gzip', 'the weight by name beats the weight of "*"'],
]

for (const [accept, chosen, source] of choices) {
  test(`Accept-Encoding ${accept === undefined ? 'missing' : `"${accept}"`} is answered with ${chosen ?? 'no coding'} (${source})`, () => {
    assert.equal(chooseCoding(accept, all), chosen)
  })
}

const text = JSON.stringify({ text: 'all work and no play '.repeat(200) })

async function open(
  t: TestContext,
  handler: (req: IncomingMessage, res: ServerResponse) => void,
  options: object = {},
) {
  const backend = await startBackend(t, handler)
  const gateway = await startGateway(t, {
    plugins: ['accessLog', { compression: options }],
    upstreams: { a: { targets: [{ url: backend.url }] } },
    routes: [{ id: 'a', path: '/**', upstream: 'a', auth: 'none' }],
  })
  return { ...gateway, ask: (headers: object = {}, method = 'GET') => ask(gateway.url, headers, method) }
}

/** The head of an answer, its body still to come. */
function head(url: string, headers: object, method = 'GET'): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(url, { method, headers: { 'Accept-Encoding': 'gzip', ...headers } as never }, resolve)
      .on('error', reject)
      .end()
  })
}

async function ask(url: string, headers: object, method: string) {
  const reply = await head(url, headers, method)
  const chunks: Buffer[] = []
  for await (const chunk of reply) chunks.push(chunk as Buffer)
  return { status: reply.statusCode, headers: reply.headers, body: Buffer.concat(chunks) }
}

const json = { 'Content-Type': 'application/json; charset=utf-8' }

test('a compressed answer says so: no length, a weak tag, no parts, Vary', async (t) => {
  const { ask, logged } = await open(t, (_, res) => {
    res.writeHead(200, {
      ...json,
      ETag: '"v1"',
      'Accept-Ranges': 'bytes',
      Vary: 'Origin',
      'Content-Length': text.length,
    })
    res.end(text)
  })
  const { headers, body } = await ask()
  assert.equal(gunzipSync(body).toString(), text)
  assert.equal(headers['content-encoding'], 'gzip')
  assert.equal(headers['content-length'], undefined)
  assert.equal(headers.etag, 'W/"v1"')
  assert.equal(headers['accept-ranges'], undefined)
  assert.equal(headers.vary, 'Origin, Accept-Encoding')
  const line = await logged((entry) => entry['http.response.status_code'] === 200)
  assert.equal(line['http.response.body.size'], body.length)
})

interface Untouched {
  readonly name: string
  readonly reply?: Readonly<Record<string, string>>
  readonly ask?: Readonly<Record<string, string>>
  readonly status?: number
  /** Whether caches must know all the same that another request would be answered otherwise. */
  readonly varies?: boolean
}

const untouched: readonly Untouched[] = [
  { name: 'to a client that takes no coding', ask: { 'Accept-Encoding': 'identity' }, varies: true },
  { name: 'that is compressed already', reply: { 'Content-Encoding': 'deflate' } },
  { name: 'that is a part (206)', status: 206, reply: { 'Content-Range': 'bytes 0-9/10' } },
  {
    name: 'that must not be transformed (RFC 9111 section 5.2.2.6)',
    reply: { 'Cache-Control': 'public, no-transform' },
  },
  {
    name: 'to a request that forbids it (RFC 9111 section 5.2.1.6)',
    ask: { 'Cache-Control': 'no-transform' },
  },
  { name: 'of another type', reply: { 'Content-Type': 'image/png' } },
  { name: 'with a digest of its bytes (RFC 9530)', reply: { 'Content-Digest': 'sha-256=:AA==:' } },
  { name: 'that is a stream of events', reply: { 'Content-Type': 'text/event-stream' } },
  { name: 'that is NDJSON', reply: { 'Content-Type': 'application/x-ndjson' } },
]

for (const { name, reply = {}, ask: asked = {}, status = 200, varies = false } of untouched) {
  test(`leaves an answer alone ${name}`, async (t) => {
    const { ask } = await open(
      t,
      (_, res) => {
        res.writeHead(status, { ...json, ETag: '"v1"', ...reply })
        res.end(text)
      },
      { types: ['application/json', 'text/*'] },
    )
    const { headers, body } = await ask(asked)
    assert.equal(body.toString(), text)
    assert.equal(headers['content-encoding'], reply['Content-Encoding'])
    assert.equal(headers.etag, '"v1"')
    assert.equal(headers.vary, varies ? 'Accept-Encoding' : undefined)
  })
}

test('small answers stay as they are, and answers without a body', async (t) => {
  const { ask } = await open(t, (req, res) => {
    if (req.url === '/204') res.writeHead(204).end()
    else res.writeHead(200, { ...json, 'Content-Length': 2 }).end('{}')
  })
  assert.equal((await ask()).headers['content-encoding'], undefined)
  assert.equal((await ask()).headers['content-length'], '2')
})

test('the answer to HEAD says what that to GET says', async (t) => {
  const { ask } = await open(t, (_, res) => {
    res.writeHead(200, { ...json, ETag: '"v1"', 'Content-Length': text.length }).end(text)
  })
  const [got, asked] = [await ask(), await ask({}, 'HEAD')]
  assert.equal(asked.body.length, 0)
  for (const name of ['content-encoding', 'etag', 'vary', 'content-length', 'content-type']) {
    assert.equal(asked.headers[name], got.headers[name], name)
  }
})

test('a 304 has the tag of the compressed answer (RFC 9110 section 15.4.5)', async (t) => {
  const { ask } = await open(t, (req, res) => {
    if (req.headers['if-none-match'] === 'W/"v1"') res.writeHead(304, { ETag: '"v1"' }).end()
    else res.writeHead(200, { ...json, ETag: '"v1"' }).end(text)
  })
  const first = await ask()
  const second = await ask({ 'If-None-Match': first.headers.etag })
  assert.equal(second.status, 304)
  assert.equal(second.headers.etag, first.headers.etag)
  assert.equal(second.headers.vary, 'Accept-Encoding')
})

test('the first event of a stream arrives while the stream is open', async (t) => {
  const { url } = await open(t, (_, res) => {
    res.writeHead(200, { 'Content-Type': 'text/event-stream' })
    res.write('data: 1\n\n')
  })
  const reply = await head(url, {})
  const [chunk] = (await once(reply, 'data')) as [Buffer]
  assert.equal(chunk.toString(), 'data: 1\n\n')
  reply.destroy()
})

const decoders = { gzip: createGunzip, br: createBrotliDecompress, zstd: createZstdDecompress }

for (const coding of all) {
  test(`each piece of a body of unknown length arrives at once in ${coding}`, async (t) => {
    let send: ((piece: string | undefined) => void) | undefined
    const { url } = await open(t, (_, res) => {
      res.writeHead(200, json)
      send = (piece) => void (piece === undefined ? res.end() : res.write(piece))
      send('[1')
    })
    const reply = await head(url, { 'Accept-Encoding': coding })
    assert.equal(reply.headers['content-encoding'], coding)
    const decoded = reply.pipe(decoders[coding]())
    assert.equal(String((await once(decoded, 'data'))[0]), '[1')
    send?.(',2')
    assert.equal(String((await once(decoded, 'data'))[0]), ',2')
    const ended = once(decoded, 'end')
    decoded.resume()
    send?.(undefined)
    await ended
  })
}

test('a client that stops reading stops the upstream, and gets all of it in the end', async (t) => {
  const total = 64 * 1_048_576
  let sent = 0
  // Bytes that do not get smaller.
  const piece = Buffer.from(Array.from({ length: 65_536 }, (_, i) => (i * 2_654_435_761) >>> 24))
  const { url } = await open(t, (_, res) => {
    res.writeHead(200, json)
    const more = (): void => {
      while (sent < total) {
        sent += piece.length
        for (let i = 0; i < piece.length; i += 4)
          piece.writeUInt32LE((Math.random() * 4_294_967_296) >>> 0, i)
        if (!res.write(Buffer.from(piece))) return void res.once('drain', more)
      }
      res.end()
    }
    more()
  })
  const reply = await head(url, {})
  // Nothing is read: what is under way fills the buffers on the way and then stands still.
  let before = -1
  while (before !== sent) {
    before = sent
    await new Promise((resolve) => setTimeout(resolve, 300))
  }
  assert.ok(sent < total / 2, `${sent} bytes were sent to a client that reads nothing`)
  let received = 0
  for await (const chunk of reply.pipe(createGunzip())) received += (chunk as Buffer).length
  assert.equal(received, total)
})

test('a client that leaves frees its place among the answers under compression', async (t) => {
  const { url, ask, logged } = await open(
    t,
    (req, res) => {
      res.writeHead(200, json)
      if (req.url === '/endless') res.write(text)
      else res.end(text)
    },
    { maxActive: 1 },
  )
  const endless = await head(`${url}/endless`, {})
  assert.equal(endless.headers['content-encoding'], 'gzip')
  assert.equal((await ask()).headers['content-encoding'], undefined)
  endless.destroy()
  await logged((line) => line['url.path'] === '/endless')
  assert.equal((await ask()).headers['content-encoding'], 'gzip')
})

test('an upstream that breaks off is seen to', async (t) => {
  const { ask } = await open(t, (_, res) => {
    res.writeHead(200, json)
    res.write(text, () => res.socket?.resetAndDestroy())
  })
  await assert.rejects(ask(), { code: 'ECONNRESET' })
})

test('answers over HTTP/2 are compressed too', async (t) => {
  const { url } = await open(t, (_, res) => {
    res.writeHead(200, { ...json, 'Content-Length': text.length }).end(text)
  })
  const session = await connectHttp2(t, url)
  const reply = await askHttp2(session, { ':path': '/', 'accept-encoding': 'br' })
  session.close()
  assert.equal(reply.headers['content-encoding'], 'br')
  assert.equal(brotliDecompressSync(reply.body).toString(), text)
})

test('an answer that breaks no rule is sent whole to HTTP/1.0', async (t) => {
  const { port } = await open(t, (_, res) => {
    res.writeHead(200, { ...json, 'Content-Length': text.length }).end(text)
  })
  const socket = connect(port, '127.0.0.1')
  socket.write('GET / HTTP/1.0\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n')
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  const whole = Buffer.concat(chunks)
  const end = whole.indexOf('\r\n\r\n')
  assert.match(whole.subarray(0, end).toString(), /content-encoding: gzip/i)
  assert.equal(gunzipSync(whole.subarray(end + 4)).toString(), text)
})
