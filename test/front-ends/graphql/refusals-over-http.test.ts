import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { SignJWT } from 'jose'
import { reasons } from '../../../src/core/reason.ts'
import { createApiKey, hashApiKey } from '../../../src/plugins/identity/api-key.ts'
import { startGateway } from '../../world.ts'
import { startRecording } from './authorization/recording.ts'

const key = createApiKey('test')

/** A refusal before anything is executed, by which part of the gateway, and what a client must be told by headers. */
interface Refusal {
  readonly reason: keyof typeof reasons
  readonly code: string
  readonly place: object
  readonly request: { readonly headers?: object; readonly body?: string }
  readonly headers: Readonly<Record<string, RegExp>>
  /** Of how many such requests the last is refused; default 1. */
  readonly at?: number
}

const body = '{"query":"{ name }"}'
const credentials = { 'x-api-key': key }
const token = await new SignJWT({ iss: 'https://id.example', aud: 'api', sub: 'ann' })
  .setProtectedHeader({ alg: 'HS256' })
  .setExpirationTime('5m')
  .sign(Buffer.from(key))
/** Scopes are asked for of tokens only. */
const byToken = { authorization: `Bearer ${token}` }
const challenge = /^Bearer realm="trivium", ApiKey realm="trivium"$/

const refusals: readonly Refusal[] = [
  {
    reason: 'NO_CREDENTIALS',
    code: 'UNAUTHENTICATED',
    place: { auth: 'required' },
    request: { body },
    headers: { 'www-authenticate': challenge },
  },
  {
    reason: 'KEY_INVALID',
    code: 'UNAUTHENTICATED',
    place: { auth: 'optional' },
    request: { headers: { 'x-api-key': 'nonsense' }, body },
    headers: { 'www-authenticate': /^ApiKey realm="trivium"$/ },
  },
  {
    reason: 'JWT_INVALID',
    code: 'UNAUTHENTICATED',
    place: { auth: 'optional' },
    request: { headers: { authorization: 'Bearer nonsense' }, body },
    headers: { 'www-authenticate': /^Bearer realm="trivium", error="invalid_token"$/ },
  },
  {
    reason: 'ROLE_MISSING',
    code: 'FORBIDDEN',
    place: { authorize: { roles: ['chief'] } },
    request: { headers: credentials, body },
    headers: {},
  },
  {
    reason: 'SCOPE_MISSING',
    code: 'FORBIDDEN',
    place: { authorize: { scopes: ['all'] } },
    request: { headers: byToken, body },
    headers: { 'www-authenticate': /error="insufficient_scope", scope="all"/ },
  },
  {
    reason: 'RATE_LIMITED',
    code: 'RATE_LIMITED',
    place: { auth: 'none', plugins: [{ rateLimit: { name: 'few', limit: 1, window: '1h' } }] },
    request: { body },
    at: 2,
    headers: {
      'retry-after': /^\d+$/,
      ratelimit: /^"few";r=0;t=\d+$/,
      'ratelimit-policy': /^"few";q=1;w=3600$/,
    },
  },
  {
    reason: 'GRAPHQL_LIMIT_EXCEEDED',
    code: 'GRAPHQL_VALIDATION_FAILED',
    place: { auth: 'none', limits: { depth: 1 } },
    request: { body: '{"query":"{ user { name } }"}' },
    headers: {},
  },
  {
    reason: 'GRAPHQL_LIMIT_EXCEEDED',
    code: 'GRAPHQL_VALIDATION_FAILED',
    place: { auth: 'none', limits: { cost: 9 } },
    request: { body: '{"query":"{ users { name } }"}' },
    headers: {},
  },
  {
    reason: 'NO_CREDENTIALS',
    code: 'UNAUTHENTICATED',
    place: { auth: 'optional', authorization: { onRefused: 'refuse' } },
    request: { body: '{"query":"{ user { secret } }"}' },
    headers: { 'www-authenticate': challenge },
  },
  {
    reason: 'SCOPE_MISSING',
    code: 'FORBIDDEN',
    place: { authorization: { onRefused: 'refuse' } },
    request: { headers: byToken, body: '{"query":"{ user { scoped } }"}' },
    headers: { 'www-authenticate': /error="insufficient_scope", scope="s"/ },
  },
  {
    reason: 'POLICY_REFUSED',
    code: 'FORBIDDEN',
    place: { authorization: { onRefused: 'refuse' } },
    request: { headers: credentials, body: '{"query":"{ user { ruled } }"}' },
    headers: {},
  },
  {
    reason: 'POLICY_REFUSED',
    code: 'FORBIDDEN',
    place: {},
    request: { headers: credentials, body: '{"query":"mutation { save { ruled } }"}' },
    headers: {},
  },
]

const sdl = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.6", import: ["@authenticated", "@requiresScopes", "@policy"])
type Query { name: String user: User users: [User] }
type Mutation { save: User }
type User {
  name: String
  secret: String @authenticated
  scoped: String @requiresScopes(scopes: [["s"]])
  ruled: String @policy(policies: [["p"]])
}`

async function open(t: TestContext, place: object): Promise<{ url: string; heard: string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'refusals-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const schema = join(folder, 'one.graphql')
  writeFileSync(schema, sdl)
  const subgraph = await startRecording('one', { sdl, resolvers: {} })
  t.after(() => subgraph.close())
  const { url } = await startGateway(t, {
    auth: { jwt: [{ issuer: 'https://id.example', audience: 'api', algorithms: ['HS256'], secret: key }] },
    consumers: [{ id: 'ann', keys: [{ hash: hashApiKey(key) }] }],
    upstreams: { one: { targets: [{ url: subgraph.url }] } },
    graphql: {
      subgraphs: { one: { upstream: 'one', schema } },
      authorization: { policies: { p: { roles: ['chief'] } } },
      ...place,
    },
  })
  return { url, heard: subgraph.heard }
}

for (const [index, { reason, code, place, request, headers, at = 1 }] of refusals.entries()) {
  // GraphQL over HTTP, sections "application/json" and "application/graphql-response+json": no data, and a status of 4xx or 5xx.
  test(`GraphQL is told of ${reason} in its own words (${index + 1})`, async (t) => {
    const { url, heard } = await open(t, place)
    const ask = (accept: string): Promise<Response> =>
      fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept, ...request.headers },
        body: request.body ?? null,
      })
    for (let i = 1; i < at; i++) await (await ask('*/*')).text()
    heard.length = 0
    for (const [accept, type] of [
      ['application/json', 'application/json'],
      ['application/graphql-response+json', 'application/graphql-response+json'],
      ['application/graphql-response+json, application/json;q=0.9', 'application/graphql-response+json'],
    ] as const) {
      const reply = await ask(accept)
      const answer = (await reply.json()) as {
        data?: unknown
        errors: { extensions: Record<string, unknown> }[]
      }
      assert.equal(reply.status, reasons[reason].status)
      assert.equal(reply.headers.get('content-type'), `${type}; charset=utf-8`)
      assert.equal('data' in answer, false)
      assert.equal(answer.errors.length, 1)
      assert.equal(answer.errors[0]?.extensions.code, code)
      assert.equal(answer.errors[0]?.extensions.reason, reason)
      assert.equal(answer.errors[0]?.extensions.number, reasons[reason].number)
      for (const [name, pattern] of Object.entries(headers))
        assert.match(reply.headers.get(name) ?? '', pattern)
    }
    assert.deepEqual(heard, [])
  })
}
