import { compared, pairFor } from './case.ts'
import { generateModel } from './generate-model.ts'
import { generateQuery } from './generate-query.ts'
import { kindOf, shrink } from './shrink.ts'
import { reported } from './report.ts'

// node test/front-ends/graphql/differential/explore.ts [first seed] [schemas] [queries of each] [reports of each kind]
const [first = '0', schemas = '50', queries = '60', most = '3'] = process.argv.slice(2)
const counts = { composed: 0, skipped: 0, queries: 0, invalid: 0, different: 0, withErrors: 0 }
const startedAt = performance.now()
const shown = new Map<string, number>()
for (let i = Number(first); i < Number(first) + Number(schemas); i++) {
  const pair = await pairFor(generateModel(String(i)))
  if (pair === undefined) {
    counts.skipped++
    continue
  }
  counts.composed++
  for (let j = 0; j < Number(queries); j++) {
    const query = generateQuery(pair.monolith.schema, `${i}/${j}`)
    if (query === undefined) {
      counts.invalid++
      continue
    }
    counts.queries++
    const rate = j % 2 === 0 ? 0 : [0.02, 0.08, 0.25][j % 3] ?? 0
    const outcome = await compared(pair, query, { seed: `${i}/${j}`, rate })
    if (outcome.expected.errors.length > 0) counts.withErrors++
    if (outcome.differences.length === 0) continue
    counts.different++
    const kind = kindOf(outcome)
    shown.set(kind, (shown.get(kind) ?? 0) + 1)
    if ((shown.get(kind) ?? 0) > Number(most)) continue
    console.log(`--- ${i}/${j}`)
    console.log(reported(await shrink(pair, query, { seed: `${i}/${j}`, rate })))
  }
  pair.engine.close()
}
console.log(counts, shown, `${Math.round(performance.now() - startedAt)} ms`, process.cpuUsage())
