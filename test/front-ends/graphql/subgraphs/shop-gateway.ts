import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createApiKey, hashApiKey } from '../../../../src/plugins/identity/api-key.ts'
import { startGateway, type TestGateway } from '../../../world.ts'
import { type Answer, answerOf } from '../harness.ts'
import { type Subgraph, schemas, startSubgraph } from '../subgraphs.ts'
import { issuer } from '../tokens.ts'

/** A gateway over the three subgraphs of `subgraphs.ts`. */
export interface ShopGateway extends TestGateway {
  readonly accounts: Subgraph
  readonly products: Subgraph
  readonly reviews: Subgraph
  /** POSTs a query; headers that are undefined are left out. `parameters`: behind the path, with their `?`. */
  ask(
    query: string,
    headers?: Record<string, string>,
    parameters?: string,
  ): Promise<Answer & { extensions?: Record<string, unknown> }>
}

export const apiKey = createApiKey('test')

/** `of`: keys of `graphql.subgraphs`; `more`: of `graphql`; `config`: of the whole. */
export async function openShop(
  t: TestContext,
  more: Record<string, unknown> = {},
  { of = {}, config = {} }: { of?: Record<string, object>; config?: object } = {},
): Promise<ShopGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'shop-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const names = ['accounts', 'products', 'reviews'] as const
  const [accounts, products, reviews] = await Promise.all([
    startSubgraph('accounts'),
    startSubgraph('products'),
    startSubgraph('reviews'),
  ])
  const all = { accounts, products, reviews }
  t.after(() => Promise.all(names.map((name) => all[name].close())))
  const subgraphs = names.map((name) => {
    const schema = join(folder, `${name}.graphql`)
    writeFileSync(schema, schemas[name] ?? '')
    return [name, { upstream: name, schema, ...of[name] }]
  })
  const started = await startGateway(t, {
    plugins: ['requestId', 'accessLog', 'metrics'],
    auth: { jwt: [issuer] },
    consumers: [{ id: 'ann', keys: [{ hash: hashApiKey(apiKey) }], roles: ['developer'] }],
    upstreams: Object.fromEntries(names.map((name) => [name, { targets: [{ url: all[name].url }] }])),
    graphql: { subgraphs: Object.fromEntries(subgraphs), auth: 'optional', ...more },
    ...config,
  })
  const ask: ShopGateway['ask'] = async (query, headers = {}, parameters = '') => {
    const response = await fetch(`${started.url}/graphql${parameters}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query }),
    })
    const { extensions } = (await response.clone().json()) as { extensions?: Record<string, unknown> }
    const answer = await answerOf(response)
    return extensions === undefined ? answer : { ...answer, extensions }
  }
  return { ...started, ...all, ask }
}
