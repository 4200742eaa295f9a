import { composeServices } from '@apollo/composition'
import { operationFromDocument, Supergraph } from '@apollo/federation-internals'
import { QueryPlanner } from '@apollo/query-planner'
import { parse } from 'graphql'
import { generateModel } from './generate-model.ts'
import { generateQuery } from './generate-query.ts'
import { subgraphSdl } from './sdl.ts'
import { Monolith } from './servers.ts'
import { World } from './world.ts'
const [a='',b='', max='10000'] = process.argv.slice(2)
const m = generateModel(a)
const q = generateQuery(new Monolith(new World(m)).schema, `${a}/${b}`)!
const r = composeServices(m.subgraphs.map((name) => ({ name, url: '', typeDefs: parse(subgraphSdl(m, name)) })))
const s = Supergraph.build(r.supergraphSdl!)
const p = new QueryPlanner(s, { debug: { maxEvaluatedPlans: Number(max) } })
const op = operationFromDocument(s.apiSchema(), parse(q.text))
const t = performance.now(); const c = process.cpuUsage()
p.buildQueryPlan(op)
console.log(Math.round(performance.now() - t), process.cpuUsage(c).user / 1000, process.memoryUsage().heapUsed / 1e6, p.lastGeneratedPlanStatistics())
