import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { composeServices } from '@apollo/composition'
import { parse } from 'graphql'
import { startOwnNode } from '../test/services/own-node.ts'
import { ownFolder } from '../test/services/own-process.ts'
import { resolvers } from './backends/store/data.ts'
import type { Contest, Contestant } from './contest.ts'
import { apiKey, guarded, startBenchGateway } from './gateway.ts'
import { installHive } from './references/hive.ts'
import type { Question } from './wrk.ts'

/** Federated GraphQL through the gateway, Apollo Gateway and Hive Gateway, in front of the same four subgraphs. */
export async function prepareGraphql(resources: AsyncDisposableStack): Promise<Contest[]> {
  const store = await startOwnNode({ file: 'bench/backends/store/main.ts' })
  resources.use(store)
  const file = join(await ownFolder('bench-supergraph'), 'supergraph.graphql')
  await writeFile(file, await composeStore(store.url))
  const start = async (name: string, program: string): Promise<Contestant> => {
    const environment = { APOLLO_TELEMETRY_DISABLED: 'true' }
    const own = await startOwnNode({ file: program, args: [file], environment })
    resources.use(own)
    return { name, ...own }
  }
  await installHive()
  const gateway = await startBenchGateway({
    upstreams: { store: { targets: [{ url: store.url }] } },
    graphql: {
      path: '/',
      supergraph: file,
      subgraphs,
      headers: { request: { forward: ['x-caller'] } },
      ...guarded,
    },
  })
  resources.use(gateway)
  const references = [
    await start('Apollo', 'bench/references/apollo.ts'),
    await start('Hive', 'bench/references/hive/main.js'),
  ]
  const contests: Contest[] = []
  for (const { title, query, ofApollo, connections } of operations) {
    const question = questionOf(query, connections)
    contests.push({
      title: `GraphQL: ${title}`,
      question,
      gateway,
      references,
      aims: [
        { reference: 'Apollo', atMost: ofApollo },
        { reference: 'Hive', atMost: 1 },
      ],
      notes: [await callsOf([gateway, ...references], question, store.url)],
    })
  }
  return contests
}

const subgraphs = Object.fromEntries(
  Object.keys(resolvers).map((name) => [name, { upstream: 'store', path: `/${name}` }]),
)

const user = 'id name username'
const product = 'upc name price weight inStock shippingEstimate'
const reviewsOf = (more: string) => `reviews { id body ${more} }`
const authorOf = (more: string) => `author { ${user} ${more} }`
const productOf = (more: string) => `product { ${product} ${more} }`
const deep = reviewsOf(authorOf(reviewsOf(productOf(''))))

const operations = [
  { title: 'one fetch', query: '{ me { id name } }', ofApollo: 0.4, connections: 64 },
  {
    title: 'four fetches',
    query: '{ me { id name reviews { id body product { upc name inStock } } } }',
    ofApollo: 0.25,
    connections: 64,
  },
  {
    title: 'a large answer',
    query: `{ users { ${user} ${reviewsOf(productOf(deep))} } topProducts { ${product} ${deep} } }`,
    ofApollo: 0.25,
    connections: 8,
  },
]

/** Each request has a header of its own which goes on to the subgraphs: no answer may be shared with another caller's. */
function questionOf(query: string, connections: number): Question {
  return {
    method: 'POST',
    path: '/',
    headers: { 'Content-Type': 'application/json', 'X-API-Key': apiKey },
    counted: 'X-Caller',
    body: JSON.stringify({ query }),
    connections,
  }
}

async function composeStore(origin: string): Promise<string> {
  const services = await Promise.all(
    Object.keys(resolvers).map(async (name) => {
      const sdl = await readFile(new URL(`backends/store/${name}.graphql`, import.meta.url), 'utf8')
      return { name, url: `${origin}/${name}`, typeDefs: parse(sdl) }
    }),
  )
  const { supergraphSdl, errors } = composeServices(services)
  if (supergraphSdl === undefined) throw new AggregateError(errors ?? [], 'The subgraphs do not compose.')
  return supergraphSdl
}

/** How many requests each sends to the subgraphs for one, and how long the answer is. */
async function callsOf(
  contestants: readonly Contestant[],
  { path, method, headers, body }: Question,
  storeUrl: string,
): Promise<string> {
  const count = async (): Promise<number> => Number(await (await fetch(`${storeUrl}/calls`)).text())
  const said: string[] = []
  let bytes = 0
  for (const { name, url } of contestants) {
    const before = await count()
    const answer = await fetch(url + path, {
      method,
      headers: { ...headers, 'X-Caller': name },
      body: body ?? null,
    })
    bytes = (await answer.text()).length
    said.push(`${name} ${(await count()) - before}`)
  }
  return `Subgraph calls for one request: ${said.join(', ')}. The answer has ${bytes} bytes.`
}
