import { createHash } from 'node:crypto'
import { prettyFormatQueryPlan } from '@apollo/query-planner'
import { Kind, parse } from 'graphql'
import { loadPlanner } from '../../../../src/front-ends/graphql/planning/planner.ts'
import { composeSupergraph } from '../../../../src/front-ends/graphql/supergraph.ts'
const link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.6", import: ["@key", "@external", "@requires", "@provides", "@shareable", "@override", "@inaccessible", "@tag", "@interfaceObject"])\n'
const [q = '', ...sdls] = process.argv.slice(2)
const { supergraphSdl } = await composeSupergraph(sdls.map((s, i) => ({ name: 'abcde'[i] ?? '', sdl: link + s })))
const planner = await loadPlanner(supergraphSdl)
const document = parse(q)
const node = document.definitions[0]!
if (node.kind !== Kind.OPERATION_DEFINITION) throw 0
const plan = await planner.plan({ operation: { name: '', type: 'query', node, document, hash: createHash('sha256').update(q).digest('hex') }, variables: {} })
console.log(process.env.RAW ? JSON.stringify(plan, null, 1) : prettyFormatQueryPlan({ kind: 'QueryPlan', node: plan.node as never }).replaceAll(/\s+/g, ' '))
process.exit()
