import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { answerOf, type Door, frontEndOver, openDoor } from './harness.ts'
import { inAllPlaces, type Subgraph, startSubgraph } from './subgraphs.ts'

const json = { 'content-type': 'application/json' }
const me = JSON.stringify({ query: '{ me { id } }' })
const search = (parameters: Record<string, string>): string => `?${new URLSearchParams(parameters)}`

describe('GraphQL over HTTP', () => {
  let accounts: Subgraph
  let door: Door
  let closed: Door

  before(async () => {
    accounts = await startSubgraph('accounts')
    const all = inAllPlaces(accounts)
    door = await openDoor(await frontEndOver(all))
    closed = await openDoor(await frontEndOver(all, { introspection: false, explorer: false }))
  })
  after(() => Promise.all([door.close(), closed.close(), accounts.close()]))

  it('runs a query by GET', async () => {
    const query = search({
      query: 'query($n: String!) { userByName(name: $n) { id } }',
      variables: '{"n":"Ada"}',
    })
    const response = await door.fetch({ search: query, headers: { 'apollo-require-preflight': '1' } })
    assert.equal(response.headers.get('content-type'), 'application/json; charset=utf-8')
    assert.deepEqual((await answerOf(response)).data, { userByName: { id: '1' } })
  })

  it('answers HEAD with the head of GET', async () => {
    const headers = { 'apollo-require-preflight': '1' }
    const response = await door.fetch({ method: 'HEAD', search: search({ query: '{ me { id } }' }), headers })
    assert.equal(response.status, 200)
    assert.equal(await response.text(), '')
  })

  it('refuses a mutation by GET with 405 and does not run it', async () => {
    accounts.requests.length = 0
    const query = search({ query: 'mutation { rename(name: "x") { id } }' })
    const response = await door.fetch({ search: query, headers: { 'apollo-require-preflight': '1' } })
    assert.equal(response.status, 405)
    assert.equal(response.headers.get('allow'), 'POST')
    assert.equal((await answerOf(response)).errors[0]?.extensions.reason, 'METHOD_NOT_ALLOWED')
    assert.equal(accounts.requests.length, 0)
  })

  const bodies: [name: string, status: number, reason: string, init: RequestInit & { search?: string }][] = [
    ['XML', 415, 'UNSUPPORTED_MEDIA_TYPE', { headers: { 'content-type': 'application/xml' }, body: '<a/>' }],
    [
      'JSON in UTF-16',
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      { headers: { 'content-type': 'application/json; charset=utf-16' }, body: me },
    ],
    [
      'a gzipped body',
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      { headers: { ...json, 'content-encoding': 'gzip' }, body: me },
    ],
    ['no JSON', 400, 'INVALID_BODY', { headers: json, body: '{"query":' }],
    [
      'invalid UTF-8',
      400,
      'INVALID_BODY',
      { headers: json, body: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]) },
    ],
    ['nothing', 400, 'INVALID_BODY', { headers: json, body: '' }],
    [
      'two queries',
      400,
      'INVALID_ARGUMENT',
      { headers: json, body: '{"query":"{me{id}}","\\u0071uery":"{me{name}}"}' },
    ],
    [
      'a variable twice, deep inside',
      400,
      'INVALID_ARGUMENT',
      { headers: json, body: '{"query":"{me{id}}","variables":{"a":{"b":1,"b":2}}}' },
    ],
    [
      'what nobody reads, 10,000 levels deep',
      400,
      'INVALID_ARGUMENT',
      { headers: json, body: `{"query":"{me{id}}","more":${'['.repeat(10_000)}${']'.repeat(10_000)}}` },
    ],
    ['a batch', 400, 'INVALID_ARGUMENT', { headers: json, body: `[${me},${me}]` }],
    ['a string', 400, 'INVALID_ARGUMENT', { headers: json, body: '"{ me { id } }"' }],
    ['no query', 400, 'INVALID_ARGUMENT', { headers: json, body: '{}' }],
    [
      'a query that is no string',
      400,
      'INVALID_ARGUMENT',
      { headers: json, body: '{"query":{"kind":"Document"}}' },
    ],
    [
      'variables as a list',
      400,
      'INVALID_ARGUMENT',
      { headers: json, body: '{"query":"{me{id}}","variables":[]}' },
    ],
    [
      'variables 10,000 levels deep',
      400,
      'INVALID_ARGUMENT',
      {
        headers: json,
        body: `{"query":"{me{id}}","variables":{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}}`,
      },
    ],
    [
      'too many bytes',
      413,
      'BODY_TOO_LARGE',
      { headers: json, body: JSON.stringify({ query: '{me{id}}', pad: 'x'.repeat(2_200_000) }) },
    ],
    [
      'an operation that does not parse',
      400,
      'GRAPHQL_PARSE_FAILED',
      { headers: json, body: '{"query":"{ me { id "}' },
    ],
    [
      'an unknown field',
      400,
      'GRAPHQL_VALIDATION_FAILED',
      { headers: json, body: '{"query":"{ mee { id } }"}' },
    ],
    [
      'an unknown operation name',
      400,
      'GRAPHQL_VALIDATION_FAILED',
      { headers: json, body: '{"query":"query A {me{id}}","operationName":"B"}' },
    ],
    [
      'two operations and no name',
      400,
      'GRAPHQL_VALIDATION_FAILED',
      { headers: json, body: '{"query":"query A {me{id}} query B {me{id}}"}' },
    ],
    [
      'no operation',
      400,
      'GRAPHQL_VALIDATION_FAILED',
      { headers: json, body: '{"query":"fragment A on User {id}"}' },
    ],
    [
      'a missing variable',
      400,
      'INVALID_ARGUMENT',
      { headers: json, body: '{"query":"query($n:String!){userByName(name:$n){id}}"}' },
    ],
    [
      'a variable of the wrong type',
      400,
      'INVALID_ARGUMENT',
      { headers: json, body: '{"query":"query($n:String!){userByName(name:$n){id}}","variables":{"n":1}}' },
    ],
    [
      'an answer that no one makes',
      406,
      'NOT_ACCEPTABLE',
      { headers: { ...json, accept: 'text/csv' }, body: me },
    ],
  ]
  for (const [name, status, reason, init] of bodies) {
    it(`refuses with ${status} ${reason}: ${name}`, async () => {
      const headers = { accept: 'application/graphql-response+json', ...init.headers }
      const response = await door.fetch({ method: 'POST', ...init, headers })
      const { errors } = await answerOf(response)
      assert.equal(response.status, status)
      assert.equal(errors[0]?.extensions.reason, reason)
      assert.match(String(errors[0]?.extensions.number), new RegExp(`^F${status}0[01]$`))
      const x = door.exchanges.at(-1)
      assert.equal(errors[0]?.extensions.requestId, x?.id)
      assert.equal(errors[0]?.extensions.traceId, x?.trace.traceId)
    })
  }

  it('takes an empty operation name for none', async () => {
    const response = await door.fetch({
      search: '?query={me{id}}&operationName=',
      headers: { 'apollo-require-preflight': '1' },
    })
    assert.deepEqual((await answerOf(response)).data, { me: { id: '1' } })
  })

  it('refuses an operation of a kind that the schema has not, before it is planned', async () => {
    const { errors, status } = await door.query('subscription { anything { at { all } } }', {})
    assert.deepEqual(
      [status, errors[0]?.message, errors[0]?.extensions.reason],
      [200, 'There are no subscriptions in this schema.', 'GRAPHQL_VALIDATION_FAILED'],
    )
  })

  it('refuses a parameter that is given twice', async () => {
    const response = await door.fetch({
      search: '?query={me{id}}&query={me{name}}',
      headers: { 'apollo-require-preflight': '1' },
    })
    assert.equal(response.status, 400)
  })

  it('refuses bytes in the query string that are no UTF-8, and takes U+FFFD where it is meant', async () => {
    const headers = { 'apollo-require-preflight': '1' }
    const variables = (name: string): string =>
      `?query=query($n:String!){userByName(name:$n){id}}&variables={"n":"${name}"}`
    const refused = await answerOf(await door.fetch({ search: variables('%FF'), headers }))
    assert.equal(refused.status, 400)
    assert.equal(refused.errors[0]?.message, '"variables" is not valid UTF-8.')
    const meant = await answerOf(await door.fetch({ search: variables('%EF%BF%BD'), headers }))
    assert.deepEqual(meant.data, { userByName: null })
  })

  const preferences: [accept: string, type: string][] = [
    ['*/*', 'application/json'],
    ['application/graphql-response+json', 'application/graphql-response+json'],
    ['application/graphql-response+json, application/json;q=0.9', 'application/graphql-response+json'],
    ['application/json, application/graphql-response+json;q=0.5', 'application/json'],
    ['text/html, */*;q=0.1', 'application/json'],
  ]
  for (const [accept, type] of preferences) {
    it(`answers "${accept}" and its refusals as ${type}`, async () => {
      for (const body of [me, '{"query":1}']) {
        const response = await door.fetch({ method: 'POST', headers: { ...json, accept }, body })
        assert.equal(response.headers.get('content-type'), `${type}; charset=utf-8`)
      }
    })
  }

  it('tells persisted-query clients that there are none, in the code that they know', async () => {
    const body = JSON.stringify({ extensions: { persistedQuery: { version: 1, sha256Hash: 'ab' } } })
    const { errors } = await answerOf(await door.fetch({ method: 'POST', headers: json, body }))
    assert.equal(errors[0]?.extensions.code, 'PERSISTED_QUERY_NOT_FOUND')
  })

  it('shows no query plan, whatever header asks for it', async () => {
    const headers = { ...json, 'apollo-query-plan-experimental': '1' }
    const response = await door.fetch({ method: 'POST', headers, body: me })
    assert.deepEqual(await response.json(), { data: { me: { id: '1' } } })
  })

  it('does not answer introspection when it is off', async () => {
    for (const query of ['{ __schema { types { name } } }', '{ __type(name: "User") { name } }']) {
      const { status, errors, data } = await closed.query(query)
      assert.equal(status, 200)
      assert.equal(data, undefined)
      assert.equal(errors[0]?.message, 'Introspection is switched off.')
    }
    assert.deepEqual((await closed.query('{ __typename }')).data, { __typename: 'Query' })
  })

  it('suggests names only when introspection is on', async () => {
    assert.match((await door.query('{ mee { id } }')).errors[0]?.message ?? '', /Did you mean "me"/)
    assert.doesNotMatch((await closed.query('{ mee { id } }')).errors[0]?.message ?? '', /Did you mean/)
  })
})
