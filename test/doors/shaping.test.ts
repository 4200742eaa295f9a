import assert from 'node:assert/strict'
import { request } from 'node:http'
import { describe, type TestContext, test } from 'node:test'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { SignJWT } from 'jose'
import { startGateway } from '../world.ts'
import { doors } from './door.ts'

const secret = 'a secret of the tests that is long enough'
const identity = {
  auth: { jwt: [{ issuer: 'https://issuer.example', audience: 'tests', algorithms: ['HS256'], secret }] },
}

function token(claims: object): Promise<string> {
  return new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer('https://issuer.example')
    .setAudience('tests')
    .setExpirationTime('5m')
    .sign(new TextEncoder().encode(secret))
}

for (const door of doors) {
  describe(`shaping at the ${door.name} door`, () => {
    const open = async (t: TestContext, plugins: readonly object[], place: object = { auth: 'none' }) => {
      const backend = await door.start(t)
      const gateway = await startGateway(t, {
        plugins: ['metrics', 'accessLog'],
        ...identity,
        ...backend.config({ ...place, plugins }),
      })
      return {
        ...gateway,
        backend,
        ask: (headers?: Record<string, string>) => backend.ask(gateway.url, headers),
      }
    }

    test('headers are set with values of caller, claims and request, towards both sides', async (t) => {
      const { ask, backend } = await open(
        t,
        [
          {
            headers: {
              request: {
                set: {
                  'X-Tenant': `\${claim.tenant.id}`,
                  'X-Caller': `user \${user.id} from \${client.address}`,
                  'X-Lang': `\${header.accept-language:-none}`,
                  'X-Place': `\${route.id}`,
                },
              },
              response: { set: { 'X-Served': `\${user.id}` }, add: { 'X-Note': 'one' } },
            },
          },
        ],
        {},
      )
      const jwt = await token({ sub: 'ann', tenant: { id: 'blue' } })
      const reply = await ask({ Authorization: `Bearer ${jwt}`, 'Accept-Language': 'de' })
      assert.equal(reply.status, 200, await reply.text())
      const [told] = backend.seen
      assert.equal(told?.['x-tenant'], 'blue')
      assert.equal(told?.['x-caller'], 'user ann from 127.0.0.1')
      assert.equal(told?.['x-lang'], 'de')
      assert.equal(told?.['x-place'], door.routeId)
      assert.equal(reply.headers.get('x-served'), 'ann')
      assert.equal(reply.headers.get('x-note'), 'one')
    })

    test("a header that is set is never the client's own, even when its value is missing", async (t) => {
      const { ask, backend } = await open(t, [
        { headers: { request: { set: { 'x-tenant': `\${claim.tenant}` } } } },
      ])
      const reply = await ask({ 'X-Tenant': 'forged', 'Grpc-Metadata-X-Tenant': 'forged' })
      assert.equal(reply.status, 200, await reply.text())
      assert.equal(backend.seen.length, 1)
      assert.equal(backend.seen[0]?.['x-tenant'], undefined)
    })

    test('a value with line breaks ends no header', async (t) => {
      const { ask, backend } = await open(
        t,
        [
          {
            headers: {
              request: { set: { 'x-nick': `\${claim.nick}` } },
              response: { set: { 'x-nick': `\${claim.nick}` } },
            },
          },
        ],
        {},
      )
      const jwt = await token({ sub: 'ann', nick: 'a\r\nx-role: admin\u00e9' })
      const reply = await ask({ Authorization: `Bearer ${jwt}` })
      assert.equal(reply.status, 200, await reply.text())
      assert.equal(backend.seen[0]?.['x-nick'], 'a%0D%0Ax-role: admin%C3%A9')
      assert.equal(backend.seen[0]?.['x-role'], undefined)
      assert.equal(reply.headers.get('x-nick'), 'a%0D%0Ax-role: admin%C3%A9')
    })

    test('headers of refusals are changed too', async (t) => {
      const { ask } = await open(t, [
        { fault: { abort: { percent: 100 } } },
        { headers: { response: { set: { 'x-a': 'b' }, rename: { 'Retry-After': 'X-Later' } } } },
      ])
      const reply = await ask()
      assert.equal(reply.status, 503)
      assert.equal(reply.headers.get('x-a'), 'b')
      assert.equal(reply.headers.get('retry-after'), null)
      assert.equal(reply.headers.get('x-later'), '1')
    })

    for (const [status, reason] of [
      [429, 'RATE_LIMITED'],
      [500, 'INTERNAL'],
      [503, 'UNAVAILABLE'],
      [504, 'UPSTREAM_TIMEOUT'],
    ] as const) {
      test(`a fault of ${status} is spelled like a real one and reaches no backend`, async (t) => {
        const { ask, backend, url, logged } = await open(t, [{ fault: { abort: { percent: 100, status } } }])
        const reply = await ask()
        assert.equal(reply.status, status)
        assert.equal(backend.reason(await reply.text()), reason)
        assert.equal(backend.seen.length, 0)
        const line = await logged((entry) => entry['http.response.status_code'] === status)
        assert.equal(line['gateway.fault'], 'abort')
        const metrics = await (await fetch(`${url}/metrics`)).text()
        assert.match(metrics, /gateway_faults_injected_total\{policy="[\w.]+",kind="abort"\} 1\b/)
      })
    }

    test('a fault of 0 percent meets nobody, and one behind a header only who asks for it', async (t) => {
      const never = await open(t, [
        { fault: { abort: { percent: 0 }, delay: { percent: 0, duration: '60s' } } },
      ])
      assert.equal((await never.ask()).status, 200)
      const onlyWith = { header: 'X-Chaos', value: 'yes' }
      const asked = await open(t, [{ fault: { abort: { percent: 100, status: 502 }, onlyWith } }])
      assert.equal((await asked.ask()).status, 200)
      assert.equal((await asked.ask({ 'X-Chaos': 'no' })).status, 200)
      assert.equal((await asked.ask({ 'X-Chaos': 'yes' })).status, 502)
    })

    test('a delay holds the request back, then serves it', async (t) => {
      const { ask, logged } = await open(t, [{ fault: { delay: { percent: 100, duration: '120ms' } } }])
      const startedAt = performance.now()
      assert.equal((await ask()).status, 200)
      // Timers of Node may fire up to 1 ms early.
      assert.ok(performance.now() - startedAt >= 119)
      const line = await logged((entry) => entry['http.response.status_code'] === 200)
      assert.equal(line['gateway.fault'], 'delay')
    })

    for (const [coding, decode] of [
      ['gzip', gunzipSync],
      ['br', brotliDecompressSync],
      ['zstd', zstdDecompressSync],
    ] as const) {
      test(`answers are compressed with ${coding} for who takes it`, async (t) => {
        const { backend, url, ask } = await open(t, [{ compression: { minBytes: '1b' } }])
        const { path, method } = backend.target
        const plain = await ask({ 'Accept-Encoding': 'identity' })
        assert.equal(plain.headers.get('content-encoding'), null)
        assert.match(plain.headers.get('vary') ?? '', /accept-encoding/i)
        const body = method === 'POST' ? JSON.stringify({ query: '{ me { id } }' }) : undefined
        const reply = await raw(url + path, { method, body, coding })
        assert.equal(reply.headers['content-encoding'], coding)
        assert.equal(reply.headers['content-length'], undefined)
        assert.match(String(reply.headers.vary), /accept-encoding/i)
        assert.equal(decode(reply.body).toString(), await plain.text())
      })
    }
  })
}

interface RawReply {
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: Buffer
}

/** A request whose answer is not decoded. */
function raw(
  url: string,
  { method, body, coding }: { method: string; body: string | undefined; coding: string },
): Promise<RawReply> {
  return new Promise((resolve, reject) => {
    const headers = { 'Accept-Encoding': coding, 'Content-Type': 'application/json' }
    const sent = request(url, { method, headers }, (res) => {
      const chunks: Buffer[] = []
      res.on('data', (chunk: Buffer) => chunks.push(chunk))
      res.on('end', () => resolve({ headers: res.headers, body: Buffer.concat(chunks) }))
      res.on('error', reject)
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
