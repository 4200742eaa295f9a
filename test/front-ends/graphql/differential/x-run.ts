// like explore but only the query shrunk, quick
import { compared, pairFor } from './case.ts'
import { generateModel } from './generate-model.ts'
import { generateQuery } from './generate-query.ts'
import { kindOf, smallerQuery } from './shrink.ts'
const [first = '0', schemas = '50', queries = '60', most = '2'] = process.argv.slice(2)
const counts = { composed: 0, skipped: 0, queries: 0, invalid: 0, different: 0, withErrors: 0 }
const shown = new Map<string, number>()
const t0 = performance.now()
for (let i = Number(first); i < Number(first) + Number(schemas); i++) {
  const pair = await pairFor(generateModel(String(i)))
  if (pair === undefined) { counts.skipped++; continue }
  counts.composed++
  for (let j = 0; j < Number(queries); j++) {
    const query = generateQuery(pair.monolith.schema, { seed: `${i}/${j}`, turn: 0, kind: (['any', 'subscription', 'inputs', 'mutation'] as const)[j % 4]! })
    if (query === undefined) { counts.invalid++; continue }
    counts.queries++
    if (process.env.TRACE) process.stderr.write(`${i}/${j} ${query.text.length} ${Math.round(process.memoryUsage().heapUsed / 1e6)} rss ${Math.round(process.memoryUsage().rss / 1e6)} ${Math.round(performance.now()-t0)}\n`)
    const rate = j % 2 === 0 ? 0 : ([0.02, 0.08, 0.25][j % 3] ?? 0)
    const outcome = await compared(pair, query, { seed: `${i}/${j}`, rate })
    if (outcome.expected.errors.length > 0) counts.withErrors++
    if (outcome.differences.length === 0) continue
    counts.different++
    const kind = kindOf(outcome)
    shown.set(kind, (shown.get(kind) ?? 0) + 1)
    if ((shown.get(kind) ?? 0) > Number(most)) continue
    const small = await smallerQuery({ pair, query, faults: { seed: `${i}/${j}`, rate }, outcome })
    console.log(`--- ${i}/${j} ${kind} rate ${rate}\n${small.query.text}\n${JSON.stringify(small.query.variables)}\n  ${small.outcome.differences.join('\n  ').slice(0, 1500)}`)
    for (const s of pair.subgraphs) for (const f of s.fetches) console.log(`   asked ${s.name} ${f.query} ${f.variables}`)
    console.log(`want ${small.outcome.expected.data.slice(0, 600)} ${JSON.stringify(small.outcome.expected.errors.map((e) => [e.path, e.message]))}`)
    console.log(`got  ${small.outcome.actual.data.slice(0, 600)} ${JSON.stringify(small.outcome.actual.errors.map((e) => [e.path, e.message]))}`)
  }
  pair.close()
}
console.log(counts, shown, Math.round(performance.now() - t0), process.cpuUsage())
process.exit(0)
