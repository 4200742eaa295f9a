import { buildSchema, type GraphQLSchema } from 'graphql'
import type { Execution, KnownOperation, OperationResult } from '../operation.ts'
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

  /** Plans an operation before it is asked for. Rejects with a GatewayError when it cannot be planned. */
  async prepare(operation: KnownOperation): Promise<void> {
    await this.#options.planner.warm(operation)
  }
}
