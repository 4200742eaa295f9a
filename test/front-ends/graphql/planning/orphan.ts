import { loadPlanner } from '../../../../src/front-ends/graphql/planning/planner.ts'
import { planningDefaults } from '../../../../src/front-ends/graphql/planning/planning-options.ts'
import { composeSupergraph } from '../../../../src/front-ends/graphql/supergraph.ts'
import { costlyOperation, costlySubgraphs } from './costly.ts'
import { operationOf } from './operation.ts'

// A process that has a planning process busy for longer than any test lasts, and says when.
const { supergraphSdl } = await composeSupergraph(costlySubgraphs(4))
const planner = await loadPlanner(supergraphSdl, { planning: { ...planningDefaults, timeoutMs: 600_000 } })
const planned = planner.plan({ operation: operationOf(costlyOperation(40, 4)), variables: {} })
process.send?.('planning')
await planned
