import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compared, pairFor } from './case.ts'
import { generateModel } from './generate-model.ts'
import { generateQuery, type QueryKind } from './generate-query.ts'
import { reported } from './report.ts'
import { shrink } from './shrink.ts'

// Graphs and queries that nobody thought of, answered by the gateway's engine over subgraphs and by one server of graphql-js:
// docs/decisions/federation-proof.md. The same seeds each time; for others, and more of them:
//
//   DIFFERENTIAL_SEED=1000 DIFFERENTIAL_GRAPHS=500 npm test -- differential
//
// A difference is made small and printed with subgraphs, query and plan.
const firstSeed = Number(process.env.DIFFERENTIAL_SEED ?? 0)
const graphs = Number(process.env.DIFFERENTIAL_GRAPHS ?? 24)

/** How many queries of a kind each graph is asked, and in what part of them resolvers fail. */
const kinds: readonly { kind: QueryKind; name: string; queries: number }[] = [
  { kind: 'any', name: 'queries of any kind', queries: 7 },
  { kind: 'inputs', name: 'arguments and variables of every kind', queries: 4 },
  { kind: 'subscription', name: 'events of subscriptions', queries: 1 },
  { kind: 'mutation', name: 'mutations, run in order', queries: 2 },
]

/** Each query is asked without faults and with few and with many, by variables of its own each time. */
const rates = [0, 0, 0.03, 0.1, 0.3, 0, 0.02, 0.06, 0.2, 0.5]

describe('a federated graph answers as one server would', () => {
  const counts = { graphs: 0, skipped: 0, queries: 0, unplanned: 0, withErrors: 0, fetches: 0 }
  for (let seed = firstSeed; seed < firstSeed + graphs; seed++) {
    it(`graph ${seed}`, { timeout: 600_000 }, async (t) => {
      const pair = await pairFor(generateModel(String(seed)))
      if (pair === undefined) {
        counts.skipped++
        t.diagnostic('does not compose')
        return
      }
      counts.graphs++
      t.after(() => pair.close())
      for (const { kind, queries } of kinds) {
        for (let at = 0; at < queries; at++) {
          for (const [turn, rate] of rates.entries()) {
            const name = `${seed}/${kind}/${at}`
            const query = generateQuery(pair.monolith.schema, { seed: name, turn, kind })
            if (query === undefined) break
            const faults = { seed: `${name}/${turn}`, rate }
            const outcome = await compared(pair, query, faults)
            counts.queries++
            if (outcome.expected.errors.length > 0) counts.withErrors++
            counts.fetches += outcome.fetches
            if (outcome.isUnplanned) counts.unplanned++
            if (outcome.isUnplanned || outcome.differences.length === 0) continue
            t.diagnostic(`${name}, turn ${turn}: ${outcome.differences.join('; ')}`)
            assert.fail(reported(await shrink(pair, query, faults)))
          }
        }
      }
    })
  }

  it('was asked enough for that to mean something', (t) => {
    t.diagnostic(JSON.stringify(counts))
    assert.ok(counts.graphs > counts.skipped, 'most graphs compose')
    assert.ok(counts.queries > 50 * counts.graphs)
    assert.ok(counts.unplanned < counts.queries / 50, 'nearly all have a plan')
    assert.ok(counts.withErrors > counts.queries / 20 && counts.withErrors < counts.queries / 2)
    assert.ok(counts.fetches > 2 * counts.queries, 'most queries need several fetches')
  })
})
