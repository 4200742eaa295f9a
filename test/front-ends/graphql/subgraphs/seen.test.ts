import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { apiKey, openShop, type ShopGateway } from './shop-gateway.ts'

const two = 'query Both { me { name reviews { body } } }'
const asked = { 'apollo-expose-query-plan': 'true' }

async function metric(shop: ShopGateway, name: string): Promise<string[]> {
  const text = await (await fetch(`${shop.url}/metrics`)).text()
  return text.split('\n').filter((line) => line.startsWith(name))
}

describe('the query plan in the answer', () => {
  it('is for those who may see it and ask for it', async (t) => {
    const shop = await openShop(t, { queryPlan: { roles: ['developer'] } })
    assert.equal((await shop.ask(two, asked)).extensions, undefined)
    assert.equal((await shop.ask(two, { 'x-api-key': apiKey })).extensions, undefined)
    const { extensions, headers, data } = await shop.ask(two, { ...asked, 'x-api-key': apiKey })
    const { queryPlan } = extensions as { queryPlan: { text: string; object: { kind: string } } }
    assert.match(queryPlan.text, /accounts[\s\S]*reviews/)
    assert.equal(queryPlan.object.kind, 'QueryPlan')
    assert.equal(data.me.name, 'Ada')
    assert.equal(headers.get('cache-control'), 'no-store')
  })

  it('is nobody’s by default', async (t) => {
    const shop = await openShop(t)
    assert.equal((await shop.ask(two, { ...asked, 'x-api-key': apiKey })).extensions, undefined)
  })
})

describe('metrics of GraphQL', () => {
  it('count and time each fetch by subgraph and outcome, with the bytes of its answer', async (t) => {
    const shop = await openShop(t)
    await shop.ask(two)
    await shop.ask('{ private }')
    shop.accounts.instead = (_, res) => void res.writeHead(503).end()
    await shop.ask('{ me { id } }')
    const counted = (await metric(shop, 'gateway_subgraph_fetches_total')).filter(
      (line) => !line.endsWith(' 0'),
    )
    assert.deepEqual(counted.sort(), [
      'gateway_subgraph_fetches_total{subgraph="accounts",outcome="error"} 1',
      'gateway_subgraph_fetches_total{subgraph="accounts",outcome="failed"} 1',
      'gateway_subgraph_fetches_total{subgraph="accounts",outcome="ok"} 1',
      'gateway_subgraph_fetches_total{subgraph="reviews",outcome="ok"} 1',
    ])
    const [bytes] = await metric(shop, 'gateway_subgraph_answer_bytes_total{subgraph="reviews"}')
    assert.ok(Number(bytes?.split(' ')[1]) > 20, bytes)
    const [count] = await metric(shop, 'gateway_subgraph_duration_seconds_count{subgraph="accounts"}')
    assert.match(String(count), / 3$/)
  })

  it('tell plans that were known from those that were made, and what planning took', async (t) => {
    const shop = await openShop(t)
    await shop.ask(two)
    await shop.ask(two)
    const plans = await metric(shop, 'gateway_graphql_plan_cache_requests_total')
    assert.deepEqual(plans.sort(), [
      'gateway_graphql_plan_cache_requests_total{result="hit"} 1',
      'gateway_graphql_plan_cache_requests_total{result="miss"} 1',
    ])
    const [count] = await metric(shop, 'gateway_graphql_planning_duration_seconds_count{outcome="ok"}')
    assert.match(String(count), / 1$/)
    assert.deepEqual(await metric(shop, 'gateway_graphql_plan_cache_plans'), [
      'gateway_graphql_plan_cache_plans 1',
    ])
  })

  it('count an operation with errors as such, and the log has their number', async (t) => {
    const shop = await openShop(
      t,
      {},
      { config: { plugins: [{ accessLog: {} }, { metrics: { operations: ['Bad', 'Both'] } }] } },
    )
    await shop.ask('query Bad { private broken me { id } }')
    await shop.ask(two)
    const counted = await metric(shop, 'gateway_graphql_operations_total')
    assert.deepEqual(counted.sort(), [
      'gateway_graphql_operations_total{operation="Bad",type="query",outcome="error"} 1',
      'gateway_graphql_operations_total{operation="Both",type="query",outcome="ok"} 1',
    ])
    const line = await shop.logged(
      (one) => one['graphql.operation.name'] === 'Bad' && one['graphql.errors'] !== undefined,
    )
    assert.equal(line['graphql.errors'], 2)
  })

  it('count what was refused before it ran, by its reason', async (t) => {
    const shop = await openShop(t)
    await shop.ask('{ me {')
    await shop.ask('{ nothing }')
    await shop.ask('{ nothing }')
    const refused = await metric(shop, 'gateway_graphql_refusals_total')
    assert.deepEqual(refused.sort(), [
      'gateway_graphql_refusals_total{reason="GRAPHQL_PARSE_FAILED"} 1',
      'gateway_graphql_refusals_total{reason="GRAPHQL_VALIDATION_FAILED"} 2',
    ])
  })

  it('give no series to names that a stranger makes up', async (t) => {
    const shop = await openShop(t)
    for (let i = 0; i < 30; i++) await shop.ask(`query Made${i} { me { id } }`)
    for (let i = 0; i < 12; i++) await shop.ask(two)
    const counted = await metric(shop, 'gateway_graphql_operations_total')
    assert.ok(counted.some((line) => line.includes('operation="Both"')))
    assert.ok(
      counted.every((line) => /operation="(?:Both|__other__)"/.test(line)),
      counted.join('\n'),
    )
  })
})

describe('the slow log', () => {
  it('names a slow operation and slow planning, without what the client asked with', async (t) => {
    const shop = await openShop(t, { slowLog: { operation: '1ms', planning: '1ms' } })
    shop.accounts.before = () => new Promise((resolve) => setTimeout(resolve, 20))
    const query = 'query Slow($name: String!) { userByName(name: $name) { id reviews { body } } }'
    await fetch(`${shop.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables: { name: 'Ada' } }),
    })
    const slow = await shop.logged((line) => line.message === 'An operation took long.')
    assert.equal(slow['graphql.operation.name'], 'Slow')
    assert.match(String(slow['graphql.operation.hash']), /^[0-9a-f]{64}$/)
    assert.ok(Number(slow['graphql.operation.duration_ms']) >= 1)
    assert.equal(slow['graphql.fetches'], 2)
    assert.ok(slow.request_id && slow.trace_id)
    const planning = await shop.logged((line) => line.message === 'Planning an operation took long.')
    assert.ok(Number(planning['graphql.planning.duration_ms']) >= 1)
    assert.doesNotMatch(JSON.stringify([slow, planning]), /Ada/)
  })

  it('is silent where nothing is slow, and where it is switched off', async (t) => {
    const shop = await openShop(t, { slowLog: { operation: '0s', planning: '1m' } })
    await shop.ask(two)
    assert.ok(shop.logs.every((line) => !/took long/.test(String(line.message))))
  })
})
