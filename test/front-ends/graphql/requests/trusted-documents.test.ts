import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readManifest } from '../../../../src/front-ends/graphql/requests/read-manifest.ts'
import { startGateway } from '../../../world.ts'
import { answerOf } from '../harness.ts'
import { schemas } from '../subgraphs.ts'
import { consumers, customer, developer } from './callers.ts'
import { startShop } from './shop.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const me = 'query Me { me { id } }'
const named = 'query Named($n: String!) { userByName(name: $n) { name } }'
const other = 'query Other { me { name } }'

/** https://www.apollographql.com/docs/graphos/platform/security/persisted-queries#manifest-format */
const apollo = JSON.stringify({
  format: 'apollo-persisted-query-manifest',
  version: 1,
  operations: [{ id: sha256(me), name: 'Me', type: 'query', body: me }],
})
/** Relay's `persistConfig.file`: MD5. GraphQL Code Generator's `persistedDocuments`: `{hash: text}`. */
const relay = JSON.stringify({ '0123456789abcdef0123456789abcdef': named })
const files = { 'web.json': apollo, 'app.json': relay }
const trustedDocuments = { manifests: ['FOLDER/*.json'] }
const keyed = { files, auth: { apiKeys: { header: 'X-API-Key' } }, consumers }

async function said(answering: Promise<Response>): Promise<string> {
  const { status, data, errors } = await answerOf(await answering)
  return `${status} ${errors[0]?.extensions.reason ?? JSON.stringify(data)}`
}

const asked: [name: string, request: object, answer: string][] = [
  ['by the id of the newer proposal', { documentId: `sha256:${sha256(me)}` }, '200 {"me":{"id":"1"}}'],
  ['by a bare id', { documentId: sha256(me) }, '200 {"me":{"id":"1"}}'],
  [
    'by the hash of Apollo clients',
    { extensions: { persistedQuery: { version: 1, sha256Hash: sha256(me) } } },
    '200 {"me":{"id":"1"}}',
  ],
  [
    'by an id that is no SHA-256',
    { documentId: '0123456789abcdef0123456789abcdef', variables: { n: 'Ada' } },
    '200 {"userByName":{"name":"Ada"}}',
  ],
  ['by its text', { query: me }, '200 {"me":{"id":"1"}}'],
  ['by its text and id', { query: me, documentId: sha256(me) }, '200 {"me":{"id":"1"}}'],
  [
    'with variables that do not fit',
    { documentId: '0123456789abcdef0123456789abcdef' },
    '200 INVALID_ARGUMENT',
  ],
  ['by the id of another', { query: other, documentId: sha256(me) }, '400 INVALID_ARGUMENT'],
  ['another operation', { query: other }, '403 OPERATION_NOT_TRUSTED'],
  ['the same in other words', { query: `${me} ` }, '403 OPERATION_NOT_TRUSTED'],
  [
    'another, by the way of automatic persisted queries',
    { query: other, extensions: { persistedQuery: { version: 1, sha256Hash: sha256(other) } } },
    '403 OPERATION_NOT_TRUSTED',
  ],
  ['an id that nobody knows', { documentId: 'sha256:00' }, '403 OPERATION_NOT_TRUSTED'],
  ['the schema', { query: '{ __schema { types { name } } }' }, '403 OPERATION_NOT_TRUSTED'],
]

test('where they are required, only registered operations are run', async (t) => {
  const shop = await startShop(t, { trustedDocuments, introspection: true }, { files })
  for (const [name, request, answer] of asked) assert.equal(await said(shop.ask(request)), answer, name)
  const search = new URLSearchParams({
    documentId: '0123456789abcdef0123456789abcdef',
    variables: '{"n":"Ada"}',
  })
  assert.equal(await said(fetch(`${shop.endpoint}?${search}`)), '200 {"userByName":{"name":"Ada"}}')
})

test('callers who are exempt run others, by automatic persisted queries too, and nobody gets them by that', async (t) => {
  const exempt = { roles: ['developer'] }
  const shop = await startShop(
    t,
    { auth: 'optional', introspection: exempt, trustedDocuments: { ...trustedDocuments, exempt } },
    keyed,
  )
  const byHash = { extensions: { persistedQuery: { version: 1, sha256Hash: sha256(other) } } }
  assert.equal(await said(shop.ask({ query: other, ...byHash }, developer)), '200 {"me":{"name":"Ada"}}')
  assert.equal(await said(shop.ask(byHash, developer)), '200 {"me":{"name":"Ada"}}')
  for (const caller of [customer, {}]) {
    assert.equal(await said(shop.ask(byHash, caller)), '403 OPERATION_NOT_TRUSTED')
    assert.equal(await said(shop.ask({ query: other }, caller)), '403 OPERATION_NOT_TRUSTED')
    assert.equal(await said(shop.ask({ query: me }, caller)), '200 {"me":{"id":"1"}}')
  }
  const types = '{ __type(name: "User") { name } }'
  assert.equal(await said(shop.ask({ query: types }, developer)), '200 {"__type":{"name":"User"}}')
})

test('where they are logged, other operations are run and each is logged once', async (t) => {
  const shop = await startShop(t, { trustedDocuments: { ...trustedDocuments, mode: 'logged' } }, { files })
  for (const query of [me, other, other, 'query Third { me { name } }'])
    assert.match(await said(shop.ask({ query })), /^200 \{/)
  const logged = shop.logs.filter((line) => /not among the trusted/.test(String(line.message)))
  assert.deepEqual(
    logged.map((line) => line['graphql.operation.name']),
    ['Other', 'Third'],
  )
})

test('documents that do not fit the schema are reported, and the others are served', async (t) => {
  const gone = 'query Gone { me { age } }'
  const manifest = JSON.stringify({ a: me, b: gone })
  const shop = await startShop(t, { trustedDocuments }, { files: { 'a.json': manifest } })
  const line = await shop.logged((one) => /do not fit the schema/.test(String(one.message)))
  assert.deepEqual([line.refused, line.of], [1, 2])
  assert.match(String(line.documents), /^b: Cannot query field "age"/)
  assert.equal(await said(shop.ask({ documentId: 'a' })), '200 {"me":{"id":"1"}}')
  assert.equal(await said(shop.ask({ documentId: 'b' })), '200 GRAPHQL_VALIDATION_FAILED')
})

const malformed: [name: string, text: string, says: RegExp][] = [
  ['no JSON', '{', /is no JSON/],
  ['a list', '[]', /is no JSON object/],
  ['another format', '{"format":"other","version":1,"operations":[]}', /has the format "other"/],
  [
    'another version',
    '{"format":"apollo-persisted-query-manifest","version":2,"operations":[]}',
    /has version 2/,
  ],
  ['no list', '{"format":"apollo-persisted-query-manifest","version":1,"operations":{}}', /is no list/],
  [
    'an entry without an id',
    '{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"id":"a","body":"{me{id}}"},{"body":"{me{id}}"}]}',
    /operations\[1\] has no "id"/,
  ],
  [
    'an entry without a body',
    '{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"id":"a"}]}',
    /operations\[0\] \("a"\) has no text/,
  ],
  ['a text that is none', '{"a":"{me{id}}","b":7}', /"b" has no text/],
]
for (const [name, text, says] of malformed) {
  test(`a manifest is refused that is or has ${name}`, () => {
    assert.throws(() => readManifest(text), says)
  })
}

test('a manifest that is none keeps the gateway from starting, and says which; so does an id of two documents', async (t) => {
  const start = (texts: Record<string, string>) => startShop(t, { trustedDocuments }, { files: texts })
  await assert.rejects(
    start({ 'bad.json': '{"a":1}' }),
    /trustedDocuments\.manifests: .*bad\.json "a" has no text/,
  )
  await assert.rejects(
    start({ 'one.json': `{"a":"${me}"}`, 'two.json': '{"a":"{ me { name } }"}' }),
    /two\.json has another document under the id "a" than .*one\.json/,
  )
  await assert.rejects(start({}), /no file matches/)
})

test('a manifest that changes is read again, and one that is wrong changes nothing', async (t) => {
  const shop = await startShop(t, {})
  const file = join(shop.folder, 'gateway.yaml')
  const manifest = join(shop.folder, 'web.json')
  writeFileSync(join(shop.folder, 'a.graphql'), schemas.accounts ?? '')
  writeFileSync(manifest, apollo)
  writeFileSync(
    file,
    `server: {listen: "127.0.0.1:0"}
upstreams: {accounts: {targets: [{url: "${shop.accounts.url}"}]}}
graphql:
  auth: none
  subgraphs: {accounts: {upstream: accounts, schema: a.graphql}}
  trustedDocuments: {manifests: ["*.json"]}
`,
  )
  const gateway = await startGateway(t, {}, { file, watch: true })
  const ask = (query: string) =>
    said(
      fetch(`${gateway.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
      }),
    )
  assert.equal(await ask(other), '403 OPERATION_NOT_TRUSTED')
  writeFileSync(manifest, JSON.stringify({ a: other }))
  await changed(async () => (await ask(other)) === '200 {"me":{"name":"Ada"}}')
  writeFileSync(manifest, '{"a":')
  await gateway.logged((line) => /web\.json is no JSON/.test(JSON.stringify(line)))
  assert.equal(await ask(other), '200 {"me":{"name":"Ada"}}')
})

async function changed(is: () => Promise<boolean>): Promise<void> {
  while (!(await is())) await new Promise((resolve) => setTimeout(resolve, 20))
}
