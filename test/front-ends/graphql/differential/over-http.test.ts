import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { type GraphQLFormattedError, parse } from 'graphql'
import { startBackend, startGateway } from '../../../world.ts'
import { differences } from './compare.ts'
import { generateModel } from './generate-model.ts'
import { generateQuery } from './generate-query.ts'
import { LocalSubgraph, Monolith } from './servers.ts'
import { World } from './world.ts'

/** Seeds of graphs that compose. */
const seeds = ['4', '6']

describe('a federated graph answers as one server would, through the gateway', () => {
  for (const seed of seeds) {
    it(`graph ${seed}`, async (t) => {
      const world = new World(generateModel(seed))
      const monolith = new Monolith(world)
      const url = await gatewayOver(t, world)
      for (let at = 0; at < 12; at++) {
        for (const [turn, rate] of [0, 0.1, 0.3].entries()) {
          const name = `${seed}/http/${at}`
          const kind = at % 4 === 3 ? 'mutation' : 'any'
          const query = generateQuery(monolith.schema, { seed: name, turn, kind })
          if (query === undefined) break
          const document = parse(query.text)
          world.faults = { seed: `${name}/${turn}`, rate }
          const answer = await monolith.execute(document, query.variables)
          const faults = await monolith.faults(document, query.variables)
          const response = await fetch(url, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ query: query.text, variables: query.variables }),
          })
          const { data, errors = [] } = (await response.json()) as {
            data: unknown
            errors?: GraphQLFormattedError[]
          }
          // What subgraphs say is masked on the way to clients: places are compared, not words.
          const actual = {
            data: JSON.stringify(data),
            errors: errors.map(({ path }) => ({ message: '', path })),
          }
          const expected = {
            data: answer.data,
            errors: answer.errors.map(({ path }) => ({ message: '', path })),
          }
          assert.deepEqual(
            differences({ answer: expected as typeof answer, faults }, actual as typeof answer),
            [],
            `${query.text}\n${JSON.stringify(query.variables)}\nwant ${expected.data}\ngot  ${actual.data} ${JSON.stringify(errors)}`,
          )
        }
      }
    })
  }
})

/** A gateway over the subgraphs of the world, each of them an HTTP server. */
async function gatewayOver(t: TestContext, world: World): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'differential-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const upstreams: Record<string, object> = {}
  const subgraphs: Record<string, object> = {}
  for (const name of world.model.subgraphs) {
    const subgraph = new LocalSubgraph(world, name)
    const backend = await startBackend(t, async (req, res) => {
      let text = ''
      for await (const chunk of req) text += chunk
      res.setHeader('content-type', 'application/json')
      res.end(JSON.stringify(await subgraph.answer(JSON.parse(text))))
    })
    const schema = join(folder, `${name}.graphql`)
    writeFileSync(schema, subgraph.sdl)
    upstreams[name] = { targets: [{ url: backend.url }] }
    subgraphs[name] = { upstream: name, schema, path: '/' }
  }
  const limits = { depth: 100, aliases: 1_000, rootFields: 1_000, directives: 1_000, fragments: 1_000 }
  const { url } = await startGateway(t, {
    plugins: [],
    upstreams,
    graphql: { subgraphs, auth: 'none', limits },
  })
  return `${url}/graphql`
}
