// biome-ignore-all lint/suspicious/noTemplateCurlyInString: values of the path are written so
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SignJWT } from 'jose'
import { rawExchange, startBackend, startGateway } from '../world.ts'
import { doors } from './door.ts'
import { everyDoor } from './grpc-doors.ts'

const secret = 'a secret of the tests that is long enough'
const auth = { jwt: [{ issuer: 'https://id.example', audience: 'tests', algorithms: ['HS256'], secret }] }

async function bearer(claims: object): Promise<{ authorization: string }> {
  const token = await new SignJWT({ iss: 'https://id.example', aud: 'tests', ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('5m')
    .sign(Buffer.from(secret))
  return { authorization: `Bearer ${token}` }
}

const own = { authorize: { claims: { sub: '${path.id}' } } }

/** OWASP API1:2023, broken object level authorization: each kind of route gives a caller what is his own, and nothing else. */
const kinds: readonly (readonly [string, object])[] = [
  ['an upstream', { upstream: 'echo' }],
  ['an upstream by another path', { upstream: 'echo', rewrite: { path: '/${path.id}' } }],
  ['a static answer', { respond: { json: { id: '${path.id}' } } }],
  ['a redirect', { redirect: { to: '/y/${path.id}' } }],
  [
    'an aggregation',
    { aggregate: { parts: [{ name: 'a', rest: { upstream: 'echo', path: '/${path.id}' } }] } },
  ],
  ['a stored operation', { graphqlOperation: { operation: '{ me { id } }' } }],
]
for (const [name, kind] of kinds) {
  test(`a route with ${name} gives a caller his own and nothing of others`, async (t) => {
    const [, graphql] = doors
    assert.ok(graphql)
    const subgraph = await graphql.start(t)
    const backend = await startBackend(t)
    const config = subgraph.config({ auth: 'none' }) as { upstreams: object }
    const { port } = await startGateway(t, {
      ...config,
      auth,
      upstreams: { ...config.upstreams, echo: { targets: [{ url: backend.url }] } },
      routes: [{ id: 'own', path: '/x/{id}', methods: ['GET'], ...kind, ...own }],
    })
    const { authorization } = await bearer({ sub: 'ann' })
    const ask = async (path: string): Promise<string> => {
      const head = `GET ${path} HTTP/1.1\r\nHost: g\r\nAuthorization: ${authorization}\r\nConnection: close\r\n\r\n`
      return (await rawExchange(port, head, 20_000)).slice(9, 12)
    }
    for (const path of [
      '/x/bob',
      '/x/Ann',
      '/x/ann;a=b',
      '/x/anna',
      '/x/an',
      '/x/ann%20',
      '/x/%E2%81%A0ann',
      '/x/bob?id=ann',
      '/x/bob;ann',
    ])
      assert.equal(await ask(path), '403', path)
    assert.equal(backend.requests.length + subgraph.seen.length, 0)
    for (const path of ['/x/ann', '/x/%61nn', '/x/ann/']) assert.match(await ask(path), /200|302/, path)
  })
}

for (const door of everyDoor) {
  test(`a claim lets in who has it, at the ${door.name} door`, async (t) => {
    const backend = await door.start(t)
    const place = {
      authorize: { claims: { tenant: ['acme', 'globex'], 'realm.level': 3 }, anyScope: ['a', 'b'] },
    }
    const { url } = await startGateway(t, { auth, ...backend.config(place) })
    for (const [claims, status] of [
      [{ tenant: 'acme', realm: { level: 3 }, scope: 'b' }, 200],
      [{ tenant: ['x', 'globex'], realm: { level: 3 }, scope: 'x a' }, 200],
      [{ tenant: 'acme', realm: { level: '3' }, scope: 'b' }, 403],
      [{ tenant: 'acm', realm: { level: 3 }, scope: 'b' }, 403],
      [{ tenant: 'acme', realm: { level: 3 }, scope: 'ab' }, 403],
    ] as const) {
      const reply = await backend.ask(url, await bearer({ sub: 'ann', ...claims }))
      assert.equal(reply.status, status, `${JSON.stringify(claims)}: ${await reply.text()}`)
    }
    assert.equal(backend.seen.length, 2)
  })
}
