import { resolve } from 'node:path'
import { startOwnNode } from '../test/services/own-node.ts'
import type { Contest } from './contest.ts'
import { apiKey, guarded, startBenchGateway } from './gateway.ts'

const subgraphNames = ['accounts', 'products', 'reviews']

/** Federated GraphQL through the gateway and through Apollo Server with Apollo Gateway, in front of the demo's subgraphs. */
export async function prepareGraphql(resources: AsyncDisposableStack): Promise<Contest[]> {
  const urls = new Map<string, string>()
  for (const name of subgraphNames) {
    const subgraph = await startOwnNode({ file: `examples/${name}/main.ts` })
    resources.use(subgraph)
    urls.set(name, subgraph.url)
  }
  const gateway = await startBenchGateway({
    upstreams: Object.fromEntries([...urls].map(([name, url]) => [name, { targets: [{ url }] }])),
    graphql: { path: '/', subgraphs: subgraphPlaces(), ...guarded },
  })
  resources.use(gateway)
  const apollo = await startOwnNode({
    file: 'bench/references/apollo.ts',
    args: [...urls].map(([name, url]) => `${name}=${url}/graphql`),
    environment: { APOLLO_TELEMETRY_DISABLED: 'true' },
  })
  resources.use(apollo)
  const contest = (title: string, query: string): Contest => ({
    title: `GraphQL: ${title}`,
    question: {
      method: 'POST',
      path: '/',
      headers: { 'Content-Type': 'application/json', 'X-API-Key': apiKey },
      body: JSON.stringify({ query }),
    },
    gateway,
    references: [{ name: 'Apollo', ...apollo }],
    aims: [{ reference: 'Apollo', atMost: 0.8 }],
  })
  return [
    contest('one fetch', '{ me { id name } }'),
    contest('three fetches', '{ me { id name reviews { body product { name price } } } }'),
  ]
}

function subgraphPlaces(): object {
  const schemas = resolve(import.meta.dirname, '../schemas')
  return Object.fromEntries(
    subgraphNames.map((name) => [name, { upstream: name, schema: `${schemas}/${name}.graphql` }]),
  )
}
