import { generateModel } from '/tmp/wt-c/test/front-ends/graphql/differential/generate-model.ts'
import { pairFor } from '/tmp/wt-c/test/front-ends/graphql/differential/case.ts'
import { parse } from 'graphql'
import { QueryPlanner, prettyFormatQueryPlan } from '@apollo/query-planner'
import { operationFromDocument, Supergraph } from '@apollo/federation-internals'
const pair = await pairFor(generateModel(process.argv[2]))
const s = Supergraph.build(pair!.supergraphSdl)
const p = new QueryPlanner(s)
console.log(prettyFormatQueryPlan(p.buildQueryPlan(operationFromDocument(s.apiSchema(), parse(process.argv[3])))))
if (process.argv[4]) console.log(pair!.supergraphSdl.match(new RegExp(`type ${process.argv[4]}\\n[^}]*}`, 'g'))?.join('\n'))
