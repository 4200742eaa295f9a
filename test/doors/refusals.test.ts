import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { SignJWT } from 'jose'
import { createApiKey, hashApiKey } from '../../src/plugins/identity/api-key.ts'
import { openNative } from '../front-ends/grpc/native/native-world.ts'
import { startGateway } from '../world.ts'
import type { Door, DoorBackend, PlaceConfig } from './door.ts'
import { everyDoor } from './grpc-doors.ts'

const secret = 'a secret of the tests that is long enough'
const jwt = [{ issuer: 'https://id.example', audience: 'tests', algorithms: ['HS256'], secret }]
const key = createApiKey('test')
const oldKey = createApiKey('test')
const keys = [{ hash: hashApiKey(key) }, { hash: hashApiKey(oldKey), expiresAt: '2020-01-01T00:00:00Z' }]
const consumers = [{ id: 'shop', roles: ['reader'], scopes: ['books'], keys }]

function bearer(claims: object, expiresIn = '5m'): Promise<string> {
  return new SignJWT({ iss: 'https://id.example', aud: 'tests', sub: 'ann', ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime(expiresIn)
    .sign(Buffer.from(secret))
}

const bearerOnly = 'Bearer realm="trivium"'
const keyOnly = 'ApiKey realm="trivium"'
const invalidToken = `${bearerOnly}, error="invalid_token"`
const insufficient = `${bearerOnly}, error="insufficient_scope", scope="books shelves"`

interface Refusal {
  readonly name: string
  readonly place?: PlaceConfig
  readonly sends: () => Promise<Record<string, string>>
  readonly status: number
  readonly reason: string
  /** RFC 9110 section 11.6.1: on every 401; RFC 6750 section 3: on a 403 for want of a scope. Nowhere else. */
  readonly challenge: string | null
}

const byKey = async () => ({ 'x-api-key': key })
const byToken = async () => ({
  authorization: `Bearer ${await bearer({ roles: ['writer'], scope: 'books' })}`,
})

/** Every refusal of identity and authorization, and what it says of itself. */
const refusals: readonly Refusal[] = [
  {
    name: 'no credentials',
    sends: async () => ({}),
    status: 401,
    reason: 'NO_CREDENTIALS',
    challenge: `${bearerOnly}, ${keyOnly}`,
  },
  {
    name: 'another scheme',
    sends: async () => ({ authorization: 'Basic eDp5' }),
    status: 401,
    reason: 'NO_CREDENTIALS',
    challenge: `${bearerOnly}, ${keyOnly}`,
  },
  {
    name: 'a key that nobody has',
    sends: async () => ({ 'x-api-key': createApiKey('test') }),
    status: 401,
    reason: 'KEY_INVALID',
    challenge: keyOnly,
  },
  {
    name: 'junk as a key',
    sends: async () => ({ 'x-api-key': 'junk' }),
    status: 401,
    reason: 'KEY_INVALID',
    challenge: keyOnly,
  },
  {
    name: 'a key that has expired',
    sends: async () => ({ 'x-api-key': oldKey }),
    status: 401,
    reason: 'KEY_EXPIRED',
    challenge: keyOnly,
  },
  {
    name: 'junk as a token',
    sends: async () => ({ authorization: 'Bearer junk' }),
    status: 401,
    reason: 'JWT_INVALID',
    challenge: invalidToken,
  },
  {
    name: 'a token that has expired',
    sends: async () => ({ authorization: `Bearer ${await bearer({}, '-1h')}` }),
    status: 401,
    reason: 'JWT_EXPIRED',
    challenge: `${invalidToken}, error_description="The token has expired"`,
  },
  {
    name: 'a junk key where none is needed',
    place: { auth: 'optional' },
    sends: async () => ({ 'x-api-key': 'junk' }),
    status: 401,
    reason: 'KEY_INVALID',
    challenge: keyOnly,
  },
  {
    name: 'nobody where a role is asked for',
    place: { auth: 'optional', authorize: { roles: ['reader'] } },
    sends: async () => ({}),
    status: 401,
    reason: 'NO_CREDENTIALS',
    challenge: `${bearerOnly}, ${keyOnly}`,
  },
  {
    name: 'a key without the role',
    place: { authorize: { roles: ['admin'] } },
    sends: byKey,
    status: 403,
    reason: 'ROLE_MISSING',
    challenge: null,
  },
  {
    name: 'a token without the role',
    place: { authorize: { roles: ['admin'] } },
    sends: byToken,
    status: 403,
    reason: 'ROLE_MISSING',
    challenge: null,
  },
  {
    name: 'a token without the scope',
    place: { authorize: { scopes: ['books', 'shelves'] } },
    sends: byToken,
    status: 403,
    reason: 'SCOPE_MISSING',
    challenge: insufficient,
  },
  {
    name: 'a key without the scope',
    place: { authorize: { scopes: ['books', 'shelves'] } },
    sends: byKey,
    status: 403,
    reason: 'SCOPE_MISSING',
    challenge: null,
  },
  {
    name: 'a token without the claim',
    place: { authorize: { claims: { tenant: 'acme' } } },
    sends: byToken,
    status: 403,
    reason: 'CLAIM_MISSING',
    challenge: null,
  },
  {
    name: 'a key where claims are asked for',
    place: { authorize: { claims: { tenant: 'acme' } } },
    sends: byKey,
    status: 403,
    reason: 'CLAIM_MISSING',
    challenge: null,
  },
  {
    name: 'a token where it must be a consumer',
    place: { authorize: { consumers: ['shop'] } },
    sends: byToken,
    status: 403,
    reason: 'POLICY_REFUSED',
    challenge: null,
  },
  {
    name: 'one too many',
    place: { plugins: [{ rateLimit: { limit: 1, window: '1h', by: 'consumer' } }] },
    sends: byKey,
    status: 429,
    reason: 'RATE_LIMITED',
    challenge: null,
  },
]

interface Opened {
  readonly backend: DoorBackend
  readonly url: string
}

async function open(t: TestContext, door: Door, place: PlaceConfig, identity: object): Promise<Opened> {
  const backend = await door.start(t)
  const { url } = await startGateway(t, { ...identity, ...backend.config(place) })
  return { backend, url }
}

for (const door of everyDoor) {
  describe(`refusals at the ${door.name} door`, () => {
    for (const { name, place = {}, sends, status, reason, challenge } of refusals) {
      test(`${name}: ${status} ${reason}`, async (t) => {
        const { backend, url } = await open(t, door, place, { consumers, auth: { jwt } })
        if (status === 429) await (await backend.ask(url, await sends())).text()
        const before = backend.seen.length
        const reply = await backend.ask(url, await sends())
        const text = await reply.text()
        assert.equal(reply.status, status, text)
        assert.equal(backend.reason(text), reason)
        assert.equal(reply.headers.get('www-authenticate'), challenge)
        assert.equal(reply.headers.has('retry-after'), status === 429)
        assert.equal(backend.seen.length, before)
        // Nothing tells whose key it was, or what else there is.
        assert.doesNotMatch(text, /shop|ann|tenant|acme/)
        if (door.protocol !== 'grpc') return
        const body = JSON.parse(text) as { code: number | string; details: Record<string, unknown>[] }
        const codes = {
          401: [16, 'unauthenticated'],
          403: [7, 'permission_denied'],
          429: [8, 'resource_exhausted'],
        }
        assert.equal(body.code, codes[status as keyof typeof codes][door.name === 'Connect' ? 1 : 0])
        const kinds = body.details.map((detail) => String(detail['@type']).split('.').at(-1))
        assert.deepEqual(kinds, status === 429 ? ['ErrorInfo', 'RetryInfo'] : ['ErrorInfo'])
        assert.equal(body.details[0]?.domain, 'trivium')
      })
    }

    for (const [name, identity, challenge] of [
      ['keys', { consumers }, keyOnly],
      ['tokens', { auth: { jwt } }, bearerOnly],
    ] as const) {
      test(`where there are ${name} alone, nothing else is asked for`, async (t) => {
        const { backend, url } = await open(t, door, {}, identity)
        const reply = await backend.ask(url)
        await reply.text()
        assert.equal(reply.headers.get('www-authenticate'), challenge)
      })
    }

    test('a key that nobody has and one that is broken are refused in the same words', async (t) => {
      const { backend, url } = await open(t, door, {}, { consumers })
      const told = async (sent: string): Promise<string> => {
        const text = await (await backend.ask(url, { 'x-api-key': sent })).text()
        return text
          .replace(/"(?:requestId|traceId)":\s*"[^"]*"/g, '')
          .replace(/\{"key":"(?:requestId|traceId)","value":"[^"]*"\}/g, '')
      }
      const real = await told(createApiKey('test'))
      for (const sent of ['junk', `${createApiKey('test').slice(0, -1)}x`, 'shop', key.toUpperCase()])
        assert.equal(await told(sent), real, sent)
    })
  })
}

test("a backend's UNAUTHENTICATED has a challenge where it becomes 401", async (t) => {
  const { url } = await openNative(t)
  const transcoded = await fetch(`${url}/v1/fail/16`)
  assert.equal(transcoded.status, 401)
  assert.equal(transcoded.headers.get('www-authenticate'), 'Bearer realm="kitchen.v1.Kitchen"')
  const connect = await fetch(`${url}/kitchen.v1.Kitchen/Fail`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Connect-Protocol-Version': '1' },
    body: '{"code":16}',
  })
  assert.equal(connect.status, 401)
  assert.equal(connect.headers.get('www-authenticate'), 'Bearer realm="kitchen.v1.Kitchen"')
})
