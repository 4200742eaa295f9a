import { planningDefaults } from '../../../../src/front-ends/graphql/planning/planning-options.ts'
import { planningProcesses } from '../../../../src/front-ends/graphql/planning/planning-processes.ts'
import { composeSupergraph } from '../../../../src/front-ends/graphql/supergraph.ts'
import { costlyOperation, costlySubgraphs } from './costly.ts'

// A process of its own that a test kills: its planning process thinks about one operation for minutes.
const { supergraphSdl: sdl } = await composeSupergraph(costlySubgraphs(4))
const supergraph = { hash: 'h', sdl, bounds: planningDefaults }
const processes = planningProcesses()
await processes.load(supergraph)
const conditions = {}
const overrides: string[] = []
const request = { document: costlyOperation(9, 4), operationName: '', conditions, overrides }
await processes.plan(supergraph, {
  request,
  limitMs: 600_000,
  started: () => setTimeout(() => console.log('planning'), 500),
})
