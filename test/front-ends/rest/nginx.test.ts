import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Nginx, startNginx } from '../../services/nginx.ts'
import { startGateway } from '../../world.ts'

const size = 5 * 1_048_576
let root = ''
let nginx: Nginx
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'trivium-files-'))
  await mkdir(join(root, 'folder'))
  await writeFile(join(root, 'random.bin'), randomBytes(size))
  await writeFile(join(root, 'text.txt'), 'a line of text\n'.repeat(10_000))
  await writeFile(join(root, 'empty.txt'), '')
  await writeFile(join(root, 'folder', 'index.html'), '<p>folder</p>')
  // By itself nginx compresses nothing for a proxy, which it knows by Via.
  nginx = await startNginx({
    root,
    extra: 'gzip on; gzip_proxied any; gzip_types text/plain; gzip_min_length 1;',
  })
})
after(async () => {
  await nginx.stop()
  await rm(root, { recursive: true })
})

interface Reply {
  readonly status: number
  readonly headers: readonly string[]
  readonly hash: string
  readonly bytes: number
}

interface Ask {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** What is asked of nginx, once directly and once through the gateway. */
const cases: readonly (readonly [name: string, path: string, ask: Ask, status: number])[] = [
  ['5 MiB of random bytes', '/random.bin', {}, 200],
  ['the first byte (RFC 9110 section 14.1.2)', '/random.bin', { headers: { range: 'bytes=0-0' } }, 206],
  ['the last 1,000 bytes', '/random.bin', { headers: { range: 'bytes=-1000' } }, 206],
  ['from the middle on', '/random.bin', { headers: { range: `bytes=${size / 2}-` } }, 206],
  [
    'several ranges (RFC 9110 section 14.6)',
    '/random.bin',
    { headers: { range: 'bytes=0-99,1000-1999,-100' } },
    206,
  ],
  [
    'a range that cannot be satisfied (RFC 9110 section 15.5.17)',
    '/random.bin',
    { headers: { range: `bytes=${size}-` } },
    416,
  ],
  ['a range of unknown unit', '/random.bin', { headers: { range: 'lines=1-2' } }, 200],
  [
    'If-Range with another tag (RFC 9110 section 13.1.5)',
    '/random.bin',
    { headers: { range: 'bytes=0-9', 'if-range': '"x"' } },
    200,
  ],
  ['HEAD', '/random.bin', { method: 'HEAD' }, 200],
  ['HEAD with a range', '/random.bin', { method: 'HEAD', headers: { range: 'bytes=0-9' } }, 206],
  [
    'If-Modified-Since in the past',
    '/random.bin',
    { headers: { 'if-modified-since': 'Fri, 01 Jan 1999 00:00:00 GMT' } },
    200,
  ],
  [
    'If-None-Match with another tag (RFC 9110 section 13.1.2)',
    '/random.bin',
    { headers: { 'if-none-match': '"x"' } },
    200,
  ],
  ['If-None-Match: *', '/random.bin', { headers: { 'if-none-match': '*' } }, 304],
  [
    'If-Match with another tag (RFC 9110 section 13.1.1)',
    '/random.bin',
    { headers: { 'if-match': '"x"' } },
    412,
  ],
  ['text as it is', '/text.txt', {}, 200],
  ['text in gzip', '/text.txt', { headers: { 'accept-encoding': 'gzip' } }, 200],
  ['text in a coding that nginx does not have', '/text.txt', { headers: { 'accept-encoding': 'br' } }, 200],
  ['an empty file', '/empty.txt', {}, 200],
  ['a folder', '/folder/', {}, 200],
  ['what is not there', '/nothing', {}, 404],
  ['POST to a file', '/text.txt', { method: 'POST' }, 405],
]

test('passes what nginx serves byte for byte', async (t) => {
  const gateway = await startGateway(t, {
    upstreams: { files: { targets: [{ url: nginx.url }] } },
    routes: [
      { id: 'files', path: '/files/**', upstream: 'files', auth: 'none', rewrite: { stripPrefix: '/files' } },
    ],
  })
  for (const [name, path, ask, status] of cases) {
    await t.test(`${name}: ${status}`, async () => {
      const direct = await fetchOnce(`${nginx.url}${path}`, ask)
      const through = await fetchOnce(`${gateway.url}/files${path}`, ask)
      assert.equal(direct.status, status)
      assert.deepEqual(through, direct)
    })
  }

  for (const [header, validator] of [
    ['if-none-match', 'etag'],
    ['if-modified-since', 'last-modified'],
  ] as const) {
    await t.test(`${header} with the ${validator} of the file: 304`, async () => {
      const { headers } = await fetchOnce(`${gateway.url}/files/random.bin`, { method: 'HEAD' })
      const value =
        headers.find((line) => line.startsWith(`${validator}: `))?.slice(validator.length + 2) ?? ''
      const ask = { headers: { [header]: value } }
      const direct = await fetchOnce(`${nginx.url}/random.bin`, ask)
      assert.equal(direct.status, 304)
      assert.deepEqual(await fetchOnce(`${gateway.url}/files/random.bin`, ask), direct)
    })
  }

  await t.test('20 of them at once', async () => {
    const direct = await fetchOnce(`${nginx.url}/random.bin`, {})
    const all = await Promise.all(
      Array.from({ length: 20 }, () => fetchOnce(`${gateway.url}/files/random.bin`, {})),
    )
    for (const reply of all) assert.deepEqual(reply, direct)
  })
})

/** Status, hash of the body and end-to-end headers; what the gateway adds and what describes one connection is left out. */
async function fetchOnce(url: string, { method = 'GET', headers = {} }: Ask): Promise<Reply> {
  const reply = await new Promise<IncomingMessage>((resolve, reject) => {
    httpRequest(url, { method, headers: { ...headers, 'content-length': '0' } }, resolve)
      .on('error', reject)
      .end()
  })
  const hash = createHash('sha256')
  let bytes = 0
  // nginx draws a new boundary for each answer with several ranges.
  const boundary = /boundary=(\d+)/.exec(reply.headers['content-type'] ?? '')?.[1]
  for await (const chunk of reply) {
    bytes += (chunk as Buffer).length
    if (boundary === undefined) hash.update(chunk as Buffer)
  }
  const kept: string[] = []
  for (let i = 0; i < reply.rawHeaders.length; i += 2) {
    const name = (reply.rawHeaders[i] as string).toLowerCase()
    if (['date', 'connection', 'keep-alive', 'via', 'transfer-encoding'].includes(name)) continue
    const value = reply.rawHeaders[i + 1] as string
    kept.push(`${name}: ${boundary === undefined ? value : value.replace(boundary, 'BOUNDARY')}`)
  }
  return { status: reply.statusCode ?? 0, headers: kept, hash: hash.digest('hex'), bytes }
}
