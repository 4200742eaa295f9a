import { buildSchema, type GraphQLSchema } from 'graphql'
import { GatewayError } from '../../../core/error.ts'
import type { Execution, KnownOperation, OperationResult } from '../operation.ts'
import type { Planner } from '../planning/planner.ts'
import type { Subgraph, SubgraphData, SubgraphFetch } from '../subgraphs/subgraph.ts'
import { stockExecutor } from './stock.ts'

/** What {@link Executor} needs. */
export interface ExecutorOptions {
  readonly schema: GraphQLSchema
  readonly supergraphSdl: string
  readonly planner: Planner
  readonly subgraphs: readonly Subgraph[]
}

/** Plans operations and runs them. */
export class Executor {
  readonly #options: ExecutorOptions
  readonly #run: ReturnType<typeof stockExecutor>

  constructor(options: ExecutorOptions) {
    this.#options = options
    this.#run = stockExecutor(options, buildSchema(options.supergraphSdl, { assumeValid: true }))
  }

  /** Rejects with a GatewayError when it cannot be planned; what fails later is among the errors. */
  async execute(execution: Execution): Promise<OperationResult> {
    return this.#run(await this.#options.planner.plan(execution), execution)
  }

  // Until the executor of our own stands here.
  async subscription(execution: Execution): Promise<{ subgraph: Subgraph; fetch: SubgraphFetch }> {
    const { node } = await this.#options.planner.plan(execution)
    if (node?.kind !== 'Subscription') throw new GatewayError('INTERNAL', 'No subscription.')
    const { serviceName, operation: query, operationName, variableUsages = [] } = node.primary
    const subgraph = this.#options.subgraphs.find(({ name }) => name === serviceName)
    if (subgraph === undefined) throw new Error('missing subgraph')
    const used = Object.fromEntries(
      variableUsages
        .filter((name) => name in execution.variables)
        .map((name) => [name, execution.variables[name]]),
    )
    const variables = JSON.stringify(used)
    const body = JSON.stringify({ query, variables: used, operationName })
    return { subgraph, fetch: { type: 'subscription', query, operationName, variables, body } }
  }

  async executeEvent(execution: Execution, event: SubgraphData): Promise<OperationResult> {
    const { node } = await this.#options.planner.plan(execution)
    if (node?.kind !== 'Subscription') throw new GatewayError('INTERNAL', 'No subscription.')
    const { primary, rest } = node
    const sequence = rest === undefined ? primary : { kind: 'Sequence', nodes: [primary, rest] }
    const context = { ...execution.context, event }
    return this.#run(
      { node: sequence as never, document: undefined, responseKeys: {} },
      { ...execution, context },
    )
  }

  /** Plans an operation before it is asked for. Rejects with a GatewayError when it cannot be planned. */
  async prepare(operation: KnownOperation): Promise<void> {
    await this.#options.planner.warm(operation)
  }
}
