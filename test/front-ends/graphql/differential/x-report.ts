import { compared, pairFor } from './case.ts'
import { generateModel } from './generate-model.ts'
import { reported } from './report.ts'
import { shrink } from './shrink.ts'
const [seed = '', text = '', variables = '{}', faultSeed = '', rate = '0'] = process.argv.slice(2)
const pair = await pairFor(generateModel(seed))
if (pair === undefined) throw new Error('no composition')
const query = { text, variables: JSON.parse(variables) }
const faults = { seed: faultSeed, rate: Number(rate) }
const outcome = await compared(pair, query, faults)
if (outcome.differences.length === 0) { console.log('no difference', outcome); process.exit() }
console.log(reported(await shrink(pair, query, faults)))
process.exit()
