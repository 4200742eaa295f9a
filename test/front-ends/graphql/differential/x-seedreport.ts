import { compared, pairFor } from './case.ts'
import { generateModel } from './generate-model.ts'
import { generateQuery } from './generate-query.ts'
import { smallerQuery } from './shrink.ts'
const [seed = '', kind = 'any', at = '0', turn = '0', rate = '0'] = process.argv.slice(2)
const pair = await pairFor(generateModel(seed))
if (pair === undefined) throw new Error('no composition')
const name = `${seed}/${kind}/${at}`
const query = generateQuery(pair.monolith.schema, { seed: name, turn: Number(turn), kind: kind as 'any' })!
const faults = { seed: `${name}/${turn}`, rate: Number(rate) }
const outcome = await compared(pair, query, faults)
const small = await smallerQuery({ pair, query, faults, outcome, until: performance.now() + 60_000 })
const out = small.outcome
console.log(small.query, out.differences, '\nwant', out.expected.data, JSON.stringify(out.expected.errors), '\ngot ', out.actual.data, JSON.stringify(out.actual.errors))
await compared(pair, small.query, faults)
for (const s of pair.subgraphs) for (const f of s.fetches) console.log(`   asked ${s.name} ${f.query} ${f.variables}`)
process.exit()
