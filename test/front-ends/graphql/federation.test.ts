import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { answerOf, type Door, frontEndOver, openDoor } from './harness.ts'
import { type Subgraph, startSubgraph } from './subgraphs.ts'

describe('GraphQL over three subgraphs', () => {
  let accounts: Subgraph
  let products: Subgraph
  let reviews: Subgraph
  let door: Door

  before(async () => {
    ;[accounts, products, reviews] = await Promise.all([
      startSubgraph('accounts'),
      startSubgraph('products'),
      startSubgraph('reviews'),
    ])
    door = await openDoor(await frontEndOver([accounts, products, reviews]), {
      onCall: [
        (x, call) =>
          call.headers.push('x-user-id', 'u-1', 'traceparent', `00-${x.trace.traceId}-00f067aa0ba902b7-01`),
      ],
    })
  })
  after(() => Promise.all([door.close(), accounts.close(), products.close(), reviews.close()]))
  beforeEach(() => {
    for (const subgraph of [accounts, products, reviews]) subgraph.requests.length = 0
    door.exchanges.length = 0
  })

  it('joins an entity over all three', async () => {
    const { status, data, errors } = await door.query(
      '{ me { name reviews { body product { title price } } } }',
    )
    assert.equal(status, 200)
    assert.deepEqual(errors, [])
    assert.deepEqual(data, {
      me: {
        name: 'Ada',
        reviews: [
          { body: 'bright', product: { title: 'Lamp', price: 30 } },
          { body: 'heavy', product: { title: 'Desk', price: 120 } },
        ],
      },
    })
    assert.deepEqual(
      door.exchanges[0]?.calls.map((call) => [call.upstreamName, call.attempts.length, call.error]),
      [
        ['accounts', 1, undefined],
        ['reviews', 1, undefined],
        ['products', 1, undefined],
      ],
    )
  })

  it('sends to subgraphs what plugins add to a call and where the request came from, and none of the client’s headers but its language', async () => {
    const response = await door.fetch({
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'accept-language': 'de',
        authorization: 'Bearer secret',
        cookie: 'session=1',
        'x-user-id': 'forged',
        'x-anything': '1',
      },
      body: JSON.stringify({ query: '{ me { reviews { body } } }' }),
    })
    assert.equal((await answerOf(response)).errors.length, 0)
    for (const request of [accounts.requests[0], reviews.requests[0]]) {
      assert.equal(request?.headers['x-user-id'], 'u-1')
      assert.match(String(request?.headers.traceparent), /^00-[0-9a-f]{32}-00f067aa0ba902b7-01$/)
      assert.equal(request?.headers['accept-language'], 'de')
      assert.equal(request?.headers['x-forwarded-for'], '127.0.0.1')
      for (const name of ['authorization', 'cookie', 'x-anything', 'user-agent'])
        assert.equal(request?.headers[name], undefined)
    }
  })

  it('passes variables, and names the operation on the exchange', async () => {
    const { data } = await door.query('query Find($n: String!) { userByName(name: $n) { id } }', {
      variables: { n: 'Alan' },
    })
    assert.deepEqual(data, { userByName: { id: '2' } })
    assert.deepEqual(door.exchanges[0]?.attributes, {
      'graphql.operation.type': 'query',
      'graphql.operation.name': 'Find',
    })
  })

  it('runs the operation that operationName chooses', async () => {
    const { data } = await door.query('query A { me { id } } query B { cheapest { upc } }', {
      operationName: 'B',
    })
    assert.deepEqual(data, { cheapest: { upc: 'a' } })
  })

  it('runs a mutation by POST', async () => {
    const { data } = await door.query('mutation { rename(name: "Grace") { name reviews { body } } }')
    assert.deepEqual(data.rename.name, 'Grace')
    assert.equal(data.rename.reviews.length, 2)
  })

  it('treats __proto__ in a body and in variables as any other name', async () => {
    const body =
      '{"query":"query($n: String!){userByName(name:$n){id}}","__proto__":{"x":1},"variables":{"n":"Ada","__proto__":{"polluted":true}}}'
    const response = await door.fetch({
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    assert.deepEqual((await answerOf(response)).data, { userByName: { id: '1' } })
    assert.equal((Object.prototype as Record<string, unknown>).polluted, undefined)
  })

  it('answers the schema to introspection, in the standard query', async () => {
    const { getIntrospectionQuery } = await import('graphql')
    const { data, errors } = await door.query(getIntrospectionQuery())
    assert.deepEqual(errors, [])
    assert.ok(data.__schema.types.some((type: { name: string }) => type.name === 'Review'))
  })
})
