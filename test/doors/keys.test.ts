import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createApiKey, hashApiKey } from '../../src/plugins/identity/api-key.ts'
import { startGateway } from '../world.ts'
import { everyDoor } from './grpc-doors.ts'

const key = createApiKey('test')
const narrow = createApiKey('test')
const slow = createApiKey('test')
const expired = createApiKey('test')
const consumers = [
  {
    id: 'acme',
    roles: ['reader'],
    scopes: ['books', 'shelves'],
    keys: [
      { hash: hashApiKey(key) },
      { hash: hashApiKey(narrow), roles: [], scopes: ['shelves'] },
      { hash: hashApiKey(slow), rateLimit: { limit: 2, window: '1h' } },
      { hash: hashApiKey(expired), expiresAt: '2020-01-01T00:00:00Z' },
    ],
  },
  { id: 'busy', rateLimit: { limit: 3, window: '1h' }, keys: [] },
]
const places = {
  header: 'x-my-key',
  query: 'api_key',
  cookie: 'key',
  allowedOrigins: ['https://app.example'],
}

for (const door of everyDoor) {
  describe(`API keys at the ${door.name} door`, () => {
    const open = async (t: Parameters<typeof startGateway>[0], place: object = {}) => {
      const backend = await door.start(t)
      const parts = backend.config({ auth: 'required', ...place })
      const gateway = await startGateway(t, { auth: { apiKeys: places }, consumers, ...parts })
      const reasonOf = async (headers: Record<string, string>): Promise<unknown> => {
        const reply = await backend.ask(gateway.url, headers)
        const text = await reply.text()
        return reply.status === 200 ? 'ok' : backend.reason(text)
      }
      return { ...gateway, backend, reasonOf }
    }

    const accepted: readonly (readonly [string, Record<string, string>])[] = [
      ['in its header', { 'x-my-key': key }],
      ['after the scheme ApiKey', { authorization: `ApiKey ${key}` }],
      ['after the scheme in another case', { authorization: `apikey  ${key}` }],
      ['in its cookie, from a page that may', { cookie: `a=b; key=${key}`, origin: 'https://app.example' }],
    ]
    const refused: readonly (readonly [string, Record<string, string>, string])[] = [
      // RFC 9110 section 5.3: headers sent twice may arrive as one.
      ['twice in its header', { 'x-my-key': `${key}, ${key}` }, 'MALFORMED_REQUEST'],
      ['in another header', { 'x-api-key': key }, 'NO_CREDENTIALS'],
      ['in another cookie', { cookie: `Key=${key}` }, 'NO_CREDENTIALS'],
      ['with a wrong checksum', { 'x-my-key': `${key.slice(0, -8)}00000000` }, 'KEY_INVALID'],
      ['that nobody has', { 'x-my-key': createApiKey('test') }, 'KEY_INVALID'],
      ['that has expired', { 'x-my-key': expired }, 'KEY_EXPIRED'],
      ['in header and cookie', { 'x-my-key': key, cookie: `key=${key}` }, 'MALFORMED_REQUEST'],
      [
        'in header and Authorization',
        { 'x-my-key': key, authorization: `ApiKey ${key}` },
        'MALFORMED_REQUEST',
      ],
      ['in two cookies', { cookie: `key=${key}; key=${narrow}` }, 'MALFORMED_REQUEST'],
    ]

    test('is taken from where it may stand, and from nowhere else; no backend sees it', async (t) => {
      const { backend, reasonOf } = await open(t)
      for (const [name, headers] of accepted) assert.equal(await reasonOf(headers), 'ok', name)
      for (const [name, headers, reason] of refused) assert.equal(await reasonOf(headers), reason, name)
      assert.equal(backend.seen.length, accepted.length)
      for (const seen of backend.seen) {
        assert.equal(seen['x-consumer'], 'acme')
        assert.doesNotMatch(JSON.stringify(seen), /gwk_/)
      }
    })

    test('has its own scopes and roles, and never those that it was not given', async (t) => {
      const { reasonOf } = await open(t, { authorize: { scopes: ['books'] } })
      assert.equal(await reasonOf({ 'x-my-key': key }), 'ok')
      assert.equal(await reasonOf({ 'x-my-key': narrow }), 'SCOPE_MISSING')
    })

    test('has its own rate limit', async (t) => {
      const { reasonOf } = await open(t)
      const told = [
        await reasonOf({ 'x-my-key': slow }),
        await reasonOf({ 'x-my-key': slow }),
        await reasonOf({ 'x-my-key': slow }),
        await reasonOf({ 'x-my-key': key }),
      ]
      assert.deepEqual(told, ['ok', 'ok', 'RATE_LIMITED', 'ok'])
    })

    test('is made, counted with its consumer, rotated and revoked while the gateway runs', async (t) => {
      const { url, reasonOf } = await open(t)
      const admin = async (path: string, body: object): Promise<{ id: string; key: string }> => {
        const headers = { 'Content-Type': 'application/json' }
        const reply = await fetch(`${url}/admin${path}`, {
          method: 'POST',
          headers,
          body: JSON.stringify(body),
        })
        assert.ok(reply.ok, `${reply.status}`)
        return (await reply.json()) as { id: string; key: string }
      }
      const old = await admin('/keys', { consumer: 'busy' })
      assert.equal(await reasonOf({ 'x-my-key': old.key }), 'ok')
      const next = await admin(`/keys/${old.id}:rotate`, { overlap: '1h' })
      assert.equal(await reasonOf({ 'x-my-key': old.key }), 'ok')
      assert.equal(await reasonOf({ 'x-my-key': next.key }), 'ok')
      assert.equal(await reasonOf({ 'x-my-key': next.key }), 'RATE_LIMITED')
      await admin(`/keys/${old.id}:revoke`, {})
      assert.equal(await reasonOf({ 'x-my-key': old.key }), 'KEY_REVOKED')
      assert.equal(await reasonOf({ 'x-my-key': next.key }), 'RATE_LIMITED')
    })

    test('guessing is slowed down, and does not keep out who has a key', async (t) => {
      const backend = await door.start(t)
      const gateway = await startGateway(t, {
        auth: { failures: { limit: 3, window: '1h' } },
        consumers,
        ...backend.config({ auth: 'required' }),
      })
      const told: unknown[] = []
      for (const sent of ['a', 'b', createApiKey('test'), 'c', createApiKey('test')]) {
        const reply = await backend.ask(gateway.url, { 'x-api-key': sent })
        told.push(backend.reason(await reply.text()))
        if (told.length > 3)
          assert.ok(Number(reply.headers.get('retry-after')) > 3_000, reply.headers.get('retry-after') ?? '')
      }
      const [no, wait] = ['KEY_INVALID', 'TOO_MANY_ATTEMPTS']
      assert.deepEqual(told, [no, no, no, wait, wait])
      assert.equal((await backend.ask(gateway.url, { 'x-api-key': key })).status, 200)
      assert.equal(backend.seen.length, 1)
    })
  })
}
