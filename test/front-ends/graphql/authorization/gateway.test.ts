import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startGateway, type TestGateway } from '../../../world.ts'
import { issuer, token } from '../tokens.ts'
import { type RecordingSubgraph, startRecording } from './recording.ts'
import { shop } from './shop.ts'

const secretFields = '{ me { name ssn email } audit { entry } }'

const routes = [
  {
    id: 'card',
    path: '/card',
    auth: 'optional',
    graphqlOperation: { operation: 'query Card { me { name ssn } }', at: 'me' },
  },
  {
    id: 'whole',
    path: '/whole',
    auth: 'optional',
    graphqlOperation: { operation: '{ me { name ssn } }', at: 'me', partial: 'refuse' },
  },
  {
    id: 'erase',
    path: '/erase',
    methods: ['POST'],
    auth: 'optional',
    graphqlOperation: { operation: 'mutation { rename(name: "x") { name ssn } }' },
  },
  {
    id: 'many',
    path: '/many',
    auth: 'optional',
    graphqlOperation: {
      operation: 'query($n: Int) { page(first: $n) { name } }',
      variables: { n: '$' + '{query.n}' },
    },
  },
  {
    id: 'both',
    path: '/both',
    auth: 'optional',
    aggregate: {
      parts: [
        { name: 'open', graphql: { operation: '{ open }' } },
        { name: 'me', graphql: { operation: '{ me { name ssn } }' }, optional: true },
      ],
    },
  },
]

async function openShop(
  t: TestContext,
  graphql: object = {},
): Promise<
  TestGateway & { subgraphs: RecordingSubgraph[]; get(path: string, as?: object): Promise<Response> }
> {
  const folder = mkdtempSync(join(tmpdir(), 'shop-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const paged = {
    sdl: shop.accounts.sdl.replace(
      'open: String!',
      'open: String! page(first: Int): [User] @listSize(slicingArguments: ["first"])',
    ),
    resolvers: { ...shop.accounts.resolvers, Query: { ...shop.accounts.resolvers.Query, page: () => [] } },
  }
  const subgraphs = await Promise.all([
    startRecording('accounts', paged),
    startRecording('reviews', shop.reviews),
  ])
  t.after(() => Promise.all(subgraphs.map((one) => one.close())))
  const places = subgraphs.map(({ name, sdl }) => {
    const schema = join(folder, `${name}.graphql`)
    writeFileSync(schema, sdl)
    return [name, { upstream: name, schema }]
  })
  const started = await startGateway(t, {
    plugins: ['accessLog'],
    auth: { jwt: [issuer] },
    upstreams: Object.fromEntries(subgraphs.map(({ name, url }) => [name, { targets: [{ url }] }])),
    graphql: {
      subgraphs: Object.fromEntries(places),
      auth: 'optional',
      limits: { cost: 500 },
      authorization: { policies: { auditor: { roles: ['chief'] } } },
      ...graphql,
    },
    routes,
  })
  const get = async (path: string, as?: object, init: RequestInit = {}): Promise<Response> => {
    for (const { heard } of subgraphs) heard.length = 0
    const headers = {
      ...(as === undefined ? {} : { authorization: `Bearer ${await token(as)}` }),
      ...init.headers,
    }
    return fetch(started.url + path, { ...init, headers })
  }
  return { ...started, subgraphs, get }
}

async function ask(
  shopAt: TestGateway,
  query: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: Headers; body: { data?: unknown; errors?: unknown } }> {
  const response = await fetch(`${shopAt.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query }),
  })
  return { status: response.status, headers: response.headers, body: (await response.json()) as object }
}

test('the scopes of a token and the policies of the configuration decide, and nothing else that a client says', async (t) => {
  const house = await openShop(t)
  const forged = { 'x-user-scopes': 'pii', 'x-user-role': 'chief', 'x-user-id': 'ann', 'x-scopes': 'pii' }
  const nobody = await ask(house, secretFields, forged)
  assert.deepEqual(nobody.body.data, { me: { name: 'Ada', ssn: null, email: null }, audit: null })
  const known = { authorization: `Bearer ${await token()}` }
  assert.deepEqual((await ask(house, secretFields, { ...known, ...forged })).body.data, {
    me: { name: 'Ada', ssn: null, email: '1@example.com' },
    audit: null,
  })
  for (const { heard } of house.subgraphs) for (const body of heard) assert.doesNotMatch(body, /ssn|audit/)
  const line = await house.logged((one) => one['graphql.refused_fields'] !== undefined)
  assert.equal(line['graphql.refused_fields'], 'User.ssn,User.email,Query.audit')
  const all = { authorization: `Bearer ${await token({ scope: 'pii', roles: ['chief'] })}` }
  const granted = await ask(house, secretFields, all)
  assert.equal(granted.body.errors, undefined)
  assert.deepEqual(granted.body.data, {
    me: { name: 'Ada', ssn: 'ssn-1', email: '1@example.com' },
    audit: { entry: 'x' },
  })
})

test('a refused operation has the status and the challenge that a refused route has', async (t) => {
  const house = await openShop(t, { authorization: { onRefused: 'refuse' } })
  const nobody = await ask(house, '{ me { name ssn } }')
  assert.equal(nobody.status, 401)
  assert.match(nobody.headers.get('www-authenticate') ?? '', /^Bearer realm="trivium"/)
  const known = await ask(house, '{ me { name ssn } }', { authorization: `Bearer ${await token()}` })
  assert.equal(known.status, 403)
  assert.equal(
    known.headers.get('www-authenticate'),
    'Bearer realm="trivium", error="insufficient_scope", scope="pii"',
  )
  assert.equal(known.headers.get('proxy-status'), 'trivium; error=http_request_denied')
  const search = `?query=${encodeURIComponent('{ me { ssn } }')}`
  const got = await fetch(`${house.url}/graphql${search}`, { headers: { 'apollo-require-preflight': '1' } })
  assert.equal(got.status, 401)
  assert.deepEqual(
    house.subgraphs.flatMap(({ heard }) => heard),
    [],
  )
})

test('operations of routes are run with what their caller may have', async (t) => {
  const { get, subgraphs } = await openShop(t)
  const card = await get('/card', {})
  assert.equal(card.headers.get('x-gateway-completed'), 'false')
  const { errors, ...data } = (await card.json()) as { errors: { reason: string; path?: string }[] }
  assert.deepEqual(data, { name: 'Ada', ssn: null })
  assert.deepEqual(
    errors.map(({ reason }) => reason),
    ['SCOPE_MISSING'],
  )
  const whole = await get('/whole', {})
  assert.equal(whole.status, 403)
  assert.equal(whole.headers.get('content-type')?.split(';')[0], 'application/problem+json')
  assert.equal(((await whole.json()) as { reason: string }).reason, 'SCOPE_MISSING')
  assert.match(whole.headers.get('www-authenticate') ?? '', /error="insufficient_scope", scope="pii"$/)
  const nobody = await get('/whole')
  assert.equal(nobody.status, 401)
  assert.match(nobody.headers.get('www-authenticate') ?? '', /^Bearer realm="trivium"/)
  for (const { heard } of subgraphs) for (const body of heard) assert.doesNotMatch(body, /ssn/)
  const granted = await get('/whole', { scope: 'pii' })
  assert.deepEqual(await granted.json(), { name: 'Ada', ssn: 'ssn-1' })
})

test('a mutation of a route is run only when all of its answer may be had', async (t) => {
  const { url, subgraphs } = await openShop(t)
  const refused = await fetch(`${url}/erase`, { method: 'POST' })
  assert.equal(refused.status, 401)
  assert.match(refused.headers.get('www-authenticate') ?? '', /^Bearer/)
  assert.equal(((await refused.json()) as { reason: string }).reason, 'NO_CREDENTIALS')
  assert.deepEqual(
    subgraphs.flatMap(({ heard }) => heard),
    [],
  )
  const authorization = `Bearer ${await token({ scope: 'pii' })}`
  assert.equal((await fetch(`${url}/erase`, { method: 'POST', headers: { authorization } })).status, 200)
})

test('a part of an aggregation is refused alone', async (t) => {
  const { get, subgraphs } = await openShop(t)
  const both = (await (await get('/both', {})).json()) as { open: unknown; me: unknown }
  assert.deepEqual(both.open, { open: 'open' })
  assert.deepEqual(both.me, { me: { name: 'Ada', ssn: null } })
  for (const { heard } of subgraphs) for (const body of heard) assert.doesNotMatch(body, /ssn/)
})

test('a route is told what is refused, also where clients of GraphQL are not', async (t) => {
  const { get } = await openShop(t, { authorization: { errors: 'none' } })
  assert.equal((await get('/whole', {})).status, 403)
})

test('a limit of cost holds for operations of routes, with the variables of the request', async (t) => {
  const { get } = await openShop(t)
  assert.equal((await get('/many?n=500')).status, 200)
  const refused = await get('/many?n=501')
  assert.equal(refused.status, 400)
  assert.equal(((await refused.json()) as { reason: string }).reason, 'GRAPHQL_LIMIT_EXCEEDED')
})
