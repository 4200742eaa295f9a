import { buildSchema, type GraphQLSchema } from 'graphql'
import type { Execution, KnownOperation, OperationResult } from '../operation.ts'
import type { Plan } from '../planning/plan.ts'
import type { Planner } from '../planning/planner.ts'
import type { Subgraph } from '../subgraphs/subgraph.ts'
import { stockExecutor } from './stock.ts'

/** What {@link Executor} needs. */
export interface ExecutorOptions {
  readonly schema: GraphQLSchema
  readonly supergraphSdl: string
  readonly planner: Planner
  readonly subgraphs: readonly Subgraph[]
}

/** Plans operations, remembers the plans, and runs them. */
export class Executor {
  readonly #options: ExecutorOptions
  readonly #run: ReturnType<typeof stockExecutor>
  readonly #plans = new WeakMap<object, Promise<Plan>>()

  constructor(options: ExecutorOptions) {
    this.#options = options
    this.#run = stockExecutor(options, buildSchema(options.supergraphSdl, { assumeValid: true }))
  }

  /** Rejects with a GatewayError when it cannot be planned; what fails later is among the errors. */
  async execute(execution: Execution): Promise<OperationResult> {
    const { node } = await this.#planOf(execution.operation)
    return this.#run({ kind: 'QueryPlan', ...(node === undefined ? {} : { node }) }, execution)
  }

  /** Plans an operation that is going to be run. Rejects with a GatewayError when it cannot be planned. */
  async prepare(operation: KnownOperation): Promise<void> {
    await this.#planOf(operation)
  }

  #planOf(operation: KnownOperation): Promise<Plan> {
    let plan = this.#plans.get(operation)
    if (plan === undefined) {
      plan = this.#options.planner.plan(operation)
      this.#plans.set(operation, plan)
    }
    return plan
  }
}
