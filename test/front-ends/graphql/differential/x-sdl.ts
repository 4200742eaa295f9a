import { prettyFormatQueryPlan, QueryPlanner } from '@apollo/query-planner'
import { operationFromDocument, Supergraph } from '@apollo/federation-internals'
import { composeServices } from '@apollo/composition'
import { parse } from 'graphql'
const link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.6", import: ["@key", "@external", "@requires", "@provides", "@shareable", "@override", "@inaccessible", "@tag", "@interfaceObject"])\n'
const [q = '', ...sdls] = process.argv.slice(2)
const r = composeServices(sdls.map((s, i) => ({ name: 'abc'[i] ?? '', url: '', typeDefs: parse(link + s) })))
if (r.errors) { console.log(r.errors.map((e) => e.message)); process.exit() }
const s = Supergraph.build(r.supergraphSdl)
console.log(prettyFormatQueryPlan(new QueryPlanner(s).buildQueryPlan(operationFromDocument(s.apiSchema(), parse(q)))))
