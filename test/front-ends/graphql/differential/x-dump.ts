import { writeFileSync } from 'node:fs'
import { generateModel } from './generate-model.ts'
import { subgraphSdl } from './sdl.ts'
const [seed = ''] = process.argv.slice(2)
const m = generateModel(seed)
writeFileSync(`/tmp/fed/cases/seed-${seed}.json`, JSON.stringify(m.subgraphs.map((name) => ({ name, sdl: subgraphSdl(m, name) })), null, 1))
