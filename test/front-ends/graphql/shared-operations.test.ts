import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { apiKey, openShop, type ShopGateway } from './subgraphs/shop-gateway.ts'

const me = '{ me { id name } }'

/**
 * Asks twice while the subgraph holds its first answer back, and returns how often that was asked. Fetches are not shared, so that
 * a second request that is on its own comes to the subgraph.
 */
async function askedTwice(
  t: TestContext,
  second: { query?: string; headers?: Record<string, string>; parameters?: string } = {},
): Promise<{ shop: ShopGateway; asked: number; bodies: unknown[] }> {
  const shop = await openShop(t, { sharing: { fetches: false, operations: true } })
  const gate = Promise.withResolvers<void>()
  const came = Promise.withResolvers<void>()
  const both = Promise.withResolvers<void>()
  shop.accounts.before = () => {
    came.resolve()
    if (shop.accounts.requests.length > 1) both.resolve()
    return gate.promise
  }
  const first = shop.ask(me)
  await came.promise
  const other = shop.ask(second.query ?? me, second.headers, second.parameters)
  // One that waits does not come to the subgraph: what shows that it is there is the number of requests under way.
  await Promise.race([both.promise, underWay(shop, 2)])
  // It was routed; these come in the same process, one after the other, behind what is left of its way to the first one.
  for (let turn = 0; turn < 10; turn++) await (await fetch(`${shop.url}/metrics`)).text()
  gate.resolve()
  const answers = await Promise.all([first, other])
  return {
    shop,
    asked: shop.accounts.requests.length,
    bodies: answers.map(({ data, errors }) => data ?? errors),
  }
}

async function underWay(shop: ShopGateway, count: number): Promise<void> {
  for (;;) {
    const text = await (await fetch(`${shop.url}/metrics`)).text()
    if (text.includes(`gateway_active_requests{protocol="graphql"} ${count}`)) return
  }
}

describe('identical queries of clients under way', () => {
  it('run once where that is switched on', async (t) => {
    const { shop, asked, bodies } = await askedTwice(t)
    assert.equal(asked, 1)
    assert.deepEqual(bodies, [{ me: { id: '1', name: 'Ada' } }, { me: { id: '1', name: 'Ada' } }])
    const line = await shop.logged((one) => one['graphql.shared'] === 1)
    assert.equal(line['http.response.status_code'], 200)
  })

  const different: [name: string, second: Parameters<typeof askedTwice>[1]][] = [
    ['the operation', { query: '{ me { id } }' }],
    ['the caller', { headers: { 'x-api-key': apiKey } }],
    // A rule for headers may name it, and a service outside is told of it.
    ['the query string', { parameters: '?tenant=b' }],
    ['any header', { headers: { 'x-anything': '1' } }],
    ['the kind: a mutation', { query: 'mutation { rename(name: "Grace") { name } }' }],
  ]
  for (const [name, second] of different) {
    it(`do not where they differ in ${name}`, async (t) => {
      assert.equal((await askedTwice(t, second)).asked, 2)
    })
  }

  it('are refused beside forwarded cookies', async (t) => {
    const headers = { response: { forward: { 'Set-Cookie': 'append' } } }
    await assert.rejects(
      openShop(t, { sharing: { operations: true }, headers }),
      /graphql\.sharing\.operations: would give the cookies of one client to others/,
    )
  })
})
