import { pairFor } from './case.ts'
import { generateModel } from './generate-model.ts'
import { generateQuery } from './generate-query.ts'
import { Monolith } from './servers.ts'
import { World } from './world.ts'
const [a='',b=''] = process.argv.slice(2)
const m = new Monolith(new World(generateModel(a)))
console.log('gen'); console.log(generateQuery(m.schema, `${a}/${b}`))
