import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Pool } from 'undici'
import { startBackend, startGateway } from '../world.ts'
import { parseAnswers, sendRaw } from './raw-client.ts'

/**
 * Paths that some backend reads as `/v1/admin`, or as something outside of the route's prefix. None may be forwarded by the open routes;
 * those that are the protected path itself are 401, those that no route takes are 404.
 */
const tricks: readonly (readonly [name: string, path: string, statuses: readonly number[]])[] = [
  ['the protected path itself', '/v1/admin', [401]],
  ['with a trailing slash', '/v1/admin/', [401]],
  ['below it', '/v1/admin/users', [401]],
  ['an encoded letter (RFC 3986 section 6.2.2.2)', '/v1/%61dmin', [401]],
  ['all letters encoded', '/v1/%61%64%6d%69%6e', [401]],
  ['an encoded letter of the first segment', '/%76%31/admin', [401]],
  ['path parameters (RFC 3986 section 3.3)', '/v1/admin;x=1', [401]],
  ['an empty path parameter', '/v1/admin;', [401]],
  ['path parameters on both segments', '/v1;a/admin;b/c', [401]],
  ['a letter encoded twice', '/v1/%2561dmin', [400]],
  ['a letter encoded three times', '/v1/%252561dmin', [400]],
  ['an encoded path parameter', '/v1/admin%3Bx', [400]],
  ['a path parameter encoded twice', '/v1/admin%253Bx', [400]],
  ['a letter encoded twice before what is no escape', '/v1/%2561dmin/%25zz', [400]],
  ['.. encoded twice in overlong UTF-8', '/public/%25c0%25ae%25c0%25ae/v1/admin', [400]],
  ['a full-width letter', '/v1/%EF%BD%81dmin', [400]],
  ['a full-width percent sign', '/v1/%EF%BC%8561dmin', [400]],
  ['a circled letter', '/v1/%E2%93%90dmin', [400]],
  ['..', '/public/../v1/admin', [400]],
  ['.. below the open route', '/v1/x/../admin', [400]],
  ['.. at the end', '/v1/x/..', [400]],
  ['.', '/v1/./admin', [400]],
  ['%2e%2e', '/public/%2e%2e/v1/admin', [400]],
  ['.%2E', '/public/.%2E/v1/admin', [400]],
  ['%252e%252e', '/public/%252e%252e/v1/admin', [400]],
  ['%25252e%25252e', '/public/%25252e%25252e/v1/admin', [400]],
  ['..;', '/public/..;/v1/admin', [400]],
  ['..;x=1', '/v1/x/..;x=1/admin', [400]],
  ['%2e%2e%3b', '/public/%2e%2e%3b/v1/admin', [400]],
  ['.. after an encoded slash', '/public/..%2fv1/admin', [400]],
  ['.. after an encoded backslash', '/public/..%5cv1/admin', [400]],
  ['.. after a slash encoded twice', '/public/..%252fv1/admin', [400]],
  ['.. between backslashes', '/public\\..\\v1\\admin', [400]],
  ['a backslash', '/v1\\admin', [400]],
  ['an encoded slash', '/v1%2fadmin', [404]],
  ['an encoded slash below the open route', '/v1/x%2fadmin', [404]],
  ['an encoded backslash', '/v1/x%5cadmin', [404]],
  ['a slash encoded twice', '/v1%252fadmin', [404]],
  ['//', '//v1/admin', [400]],
  ['// in the middle', '/v1//admin', [400]],
  ['an empty segment of parameters', '/v1/;x/admin', [400]],
  ['an empty segment of encoded parameters', '/v1/%3Bx/admin', [400]],
  ['two dots in overlong UTF-8 (RFC 3629 section 3)', '/public/%c0%ae%c0%ae/v1/admin', [400]],
  ['a slash in overlong UTF-8', '/public/x%c0%afadmin', [400]],
  ['overlong UTF-8 of three bytes', '/public/%e0%80%ae%e0%80%ae/v1/admin', [400]],
  ['a lone byte above 127', '/v1/%ff/admin', [400]],
  ['full-width dots', '/public/%EF%BC%8E%EF%BC%8E/v1/admin', [400]],
  ['a two-dot leader', '/public/%E2%80%A5/v1/admin', [400]],
  ['a full-width slash', '/v1/x%EF%BC%8Fadmin', [404]],
  ['a full-width backslash', '/v1/x%EF%BC%BCadmin', [404]],
  ['%00', '/v1/admin%00', [400]],
  ['%00 before the end', '/v1/x%00/../admin', [400]],
  ['%2500', '/v1/admin%2500', [400]],
  ['an encoded line break', '/v1/x%0d%0aX-User-Id:%20root', [400]],
  ['an encoded tab', '/v1/admin%09', [400]],
  ['%u0061 (IIS)', '/v1/%u0061dmin', [400]],
  ['a broken escape', '/v1/%6/admin', [400]],
  ['an escape cut short', '/v1/admin%', [400]],
  ['an absolute target', 'http://a/v1/admin', [401]],
  ['an absolute target with ..', 'http://a/public/../v1/admin', [400]],
]

/** Paths that mean one thing only, and how the backend gets them. */
const plain: readonly (readonly [sent: string, forwarded: string])[] = [
  ['/v1/users/42', '/v1/users/42'],
  ['/v1', '/v1'],
  ['/v1/', '/v1/'],
  ['/v1/a/', '/v1/a/'],
  ['/v1/a%20b', '/v1/a%20b'],
  ['/v1/caf%c3%a9', '/v1/caf%C3%A9'],
  ['/v1/%E6%97%A5%E6%9C%AC', '/v1/%E6%97%A5%E6%9C%AC'],
  ['/v1/a;b=c/d', '/v1/a;b=c/d'],
  ['/v1/%7Ex', '/v1/~x'],
  ['/v1/100%25', '/v1/100%25'],
  ['/v1/a%2525b', '/v1/a%2525b'],
  ['/v1/a%3Fb', '/v1/a%3Fb'],
  ['/v1/a..b', '/v1/a..b'],
  ['/v1/...', '/v1/...'],
  ['/v1/.hidden', '/v1/.hidden'],
  ["/v1/a:b@c!d$e&f'g(h)i*j+k,l=m", "/v1/a:b@c!d$e&f'g(h)i*j+k,l=m"],
  ['/v1/a|b', '/v1/a%7Cb'],
  ['/v1/ADMIN', '/v1/ADMIN'],
  ['/v1/administrator', '/v1/administrator'],
  ['/v1/x/admin', '/v1/x/admin'],
  ['/files/a%2Fb', '/files/a%2Fb'],
  ['/public/v1/admin', '/public/v1/admin'],
]

async function world(t: TestContext) {
  const backend = await startBackend(t, (req, res) => {
    res.setHeader('x-seen', Buffer.from(req.url ?? '', 'latin1').toString('base64')).end()
  })
  const gateway = await startGateway(t, {
    upstreams: { backend: { targets: [{ url: backend.url }] } },
    routes: [
      { id: 'admin', path: '/v1/admin/**', upstream: 'backend', auth: 'required' },
      { id: 'open', path: '/v1/**', upstream: 'backend', auth: 'none' },
      { id: 'public', path: '/public/**', upstream: 'backend', auth: 'none' },
      { id: 'files', path: '/files/**', upstream: 'backend', auth: 'none', encodedSlash: true },
    ],
    consumers: [{ id: 'someone', keys: [{ hash: `sha256:${'0'.repeat(64)}` }] }],
  })
  return { backend, gateway }
}

test('keeps the protected route and the prefix of each route', async (t) => {
  const { backend, gateway } = await world(t)
  for (const [name, path, statuses] of tricks) {
    await t.test(`${name}: ${path}`, async () => {
      const text = await sendRaw(gateway.port, `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
      const [answer] = parseAnswers(text)
      assert.ok(statuses.includes(answer?.status ?? 0), `answered ${text.slice(0, 400)}`)
      assert.equal(backend.requests.length, 0)
    })
  }
})

test('forwards paths that mean one thing, in one spelling', async (t) => {
  const { backend, gateway } = await world(t)
  for (const [sent, forwarded] of plain) {
    await t.test(sent, async () => {
      const text = await sendRaw(gateway.port, `GET ${sent} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
      assert.equal(parseAnswers(text)[0]?.status, 200, text.slice(0, 400))
      assert.equal(backend.requests.at(-1)?.url, forwarded)
      assert.deepEqual(escapes(forwarded), [])
    })
  }
})

test('forwards nothing that any reading takes elsewhere (3,000 random paths)', async (t) => {
  const { gateway } = await world(t)
  const pool = new Pool(gateway.url, { connections: 16 })
  t.after(() => pool.destroy())
  const random = mulberry32(20_261_121)
  const counts = new Map<number, number>()
  const paths = Array.from({ length: 3_000 }, () => randomPath(random))
  const worker = async (): Promise<void> => {
    for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
      const { statusCode, headers, body } = await pool.request({ method: 'GET', path })
      await body.dump()
      counts.set(statusCode, (counts.get(statusCode) ?? 0) + 1)
      if (headers['x-seen'] === undefined) continue
      const seen = Buffer.from(String(headers['x-seen']), 'base64').toString('latin1')
      assert.deepEqual(escapes(seen), [], `sent ${path}, the backend got ${seen}`)
    }
  }
  await Promise.all(Array.from({ length: 16 }, worker))
  // Else the generator would prove nothing.
  for (const status of [200, 400, 401, 404]) {
    assert.ok((counts.get(status) ?? 0) > 20, `${status}: ${counts.get(status)} of them`)
  }
  assert.deepEqual([...counts.keys()].sort(), [200, 400, 401, 404])
})

/** What some reading, or several after each other, make of a path that was forwarded, if it is none of the route's. */
function escapes(forwarded: string): string[] {
  const path = forwarded.split('?')[0] as string
  const prefix = path.split('/')[1]?.split(';')[0]
  return readings(path)
    .map(resolveDots)
    .map((segments) => segments.map((segment) => segment.split(';')[0] as string))
    .filter((segments) => segments[0] !== prefix || (segments[0] === 'v1' && segments[1] === 'admin'))
    .map((segments) => `/${segments.join('/')}`)
}

/** Every path that up to four readings after each other can make of one. */
function readings(path: string): string[] {
  const all = new Set([path])
  let latest = [path]
  for (let depth = 0; depth < 4; depth++) {
    const next: string[] = []
    for (const text of latest) {
      for (const read of readers) {
        const other = read(text)
        if (!all.has(other)) next.push(other)
        all.add(other)
      }
    }
    latest = next
  }
  return [...all]
}

/** How backends are known to read paths. */
const readers: readonly ((path: string) => string)[] = [
  (path) => Buffer.from(bytesOf(path), 'latin1').toString('utf8'),
  (path) => path.replace(/;[^/]*/g, ''),
  (path) => path.replaceAll('\\', '/'),
  (path) => path.replace(/\/{2,}/g, '/'),
  (path) => path.normalize('NFKC'),
  // Overlong UTF-8, as decoders before RFC 3629 took it.
  (path) =>
    bytesOf(path).replace(
      /[\xc0\xc1]([\x80-\xbf])|\xe0\x80([\x80-\xbf])/g,
      (bytes, two?: string, three?: string) => {
        const low = (two ?? three ?? '').charCodeAt(0) & 0x3f
        return String.fromCharCode(bytes.charCodeAt(0) === 0xc1 ? 0x40 | low : low)
      },
    ),
  // The end of a string in C.
  (path) => path.split('\0')[0] as string,
]

/** Percent escapes as bytes; what is no escape stays. */
function bytesOf(path: string): string {
  const utf8 = Buffer.from(path, 'utf8').toString('latin1')
  return utf8.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** RFC 3986 section 5.2.4. */
function resolveDots(path: string): string[] {
  const out: string[] = []
  for (const segment of path.split('/').slice(1)) {
    if (segment === '..') out.pop()
    else if (segment !== '.') out.push(segment)
  }
  return out
}

const starts = [
  '/v1/',
  '/v1/',
  '/public/',
  '/files/',
  '/',
  '/v1',
  '/v1/x/',
  '/public/x/',
  '/%76%31/',
  '/v1;a/',
]
const pieces = [
  ...[
    '/',
    '/',
    '//',
    '%2f',
    '%2F',
    '%252f',
    '%25252f',
    '\\',
    '%5c',
    '%255C',
    '%ef%bc%8f',
    '%ef%bc%bc',
    '%c0%af',
    '%ef%b9%a8',
  ],
  ...[
    '.',
    '..',
    '../',
    '/..',
    '%2e',
    '%2E%2e',
    '%252e',
    '%25252e',
    '%c0%ae',
    '%e2%80%a4',
    '%e2%80%a5',
    '%ef%bc%8e',
    '%25c0%25ae',
  ],
  ...[
    'admin',
    'admin',
    '/admin',
    '%61dmin',
    '%2561dmin',
    '%252561dmin',
    'adm%69n',
    '%ef%bd%81dmin',
    '%ef%bc%8561dmin',
    'ADMIN',
  ],
  ...['v1', 'public', 'files', 'x', 'a%20b', 'caf%c3%a9', '42', '~', '%7e', 'a:b', '100%25', '%2525'],
  ...[
    ';',
    ';a=1',
    '%3b',
    '%253b',
    ';/',
    '%ef%bc%9b',
    '%',
    '%2',
    '%zz',
    '%u0061',
    '%00',
    '%2500',
    '%0a',
    '%ff',
    '?a=/admin',
    '#',
    '|',
  ],
]

function randomPath(random: () => number): string {
  const pick = (from: readonly string[]): string => from[Math.floor(random() * from.length)] as string
  const count = 1 + Math.floor(random() * 5)
  return pick(starts) + Array.from({ length: count }, () => pick(pieces)).join('')
}

/** A small generator of random numbers, always the same for one seed. */
function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
