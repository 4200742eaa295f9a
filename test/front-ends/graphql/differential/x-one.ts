import { compared, pairFor } from './case.ts'
import { generateModel } from './generate-model.ts'
const [seed = '', text = '', variables = '{}', faultSeed = '', rate = '0'] = process.argv.slice(2)
const pair = await pairFor(generateModel(seed))
if (pair === undefined) throw new Error('no composition')
for (const s of pair.subgraphs) { const f = s.fetch.bind(s); s.fetch = async (x) => { console.log(s.name, x.query, x.variables); const r = await f(x); console.log('  ', JSON.stringify(r)); return r } }
const exec = pair.monolith.execute.bind(pair.monolith)
pair.monolith.execute = async (...a) => { const r = await exec(...a); console.log('mono', JSON.stringify(r)); return r }
console.log(await compared(pair, { text, variables: JSON.parse(variables) }, { seed: faultSeed, rate: Number(rate) }))
process.exit()
