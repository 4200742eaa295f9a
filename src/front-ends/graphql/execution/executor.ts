import type { DocumentNode, GraphQLSchema } from 'graphql'
import { GatewayError } from '../../../core/error.ts'
import type { Execution, OperationResult } from '../operation.ts'
import type { Plan } from '../planning/plan.ts'
import type { Planner } from '../planning/planner.ts'
import type { Subgraph, SubgraphData, SubgraphFetch } from '../subgraphs/subgraph.ts'
import { variablesOf } from './ask.ts'
import { CompiledOperation, type CompileOptions } from './compiled-operation.ts'
import { requestOf } from './fetch-operation.ts'
import { type AnswerInParts, runParts } from './run-parts.ts'
import { TypeConditions } from './type-conditions.ts'

/** What {@link Executor} needs. */
export interface ExecutorOptions {
  /** What clients may ask for. */
  readonly schema: GraphQLSchema
  readonly supergraph: DocumentNode
  readonly planner: Planner
  readonly subgraphs: readonly Subgraph[]
}

/** Plans operations, compiles the plans once, and runs them. */
export class Executor {
  readonly #planner: Planner
  readonly #options: CompileOptions
  readonly #compiled = new WeakMap<Plan, CompiledOperation>()

  constructor({ schema, supergraph, planner, subgraphs }: ExecutorOptions) {
    this.#planner = planner
    this.#options = {
      schema,
      types: new TypeConditions(supergraph),
      subgraphs: new Map(subgraphs.map((subgraph) => [subgraph.name, subgraph])),
    }
  }

  /** Runs a query or a mutation. Rejects with a GatewayError when it cannot be planned; what fails later is among the errors. */
  async execute(execution: Execution): Promise<OperationResult> {
    const compiled = await this.#compile(execution)
    const run = compiled.begin(execution)
    await compiled.fetch?.(run)
    return compiled.answer(run)
  }

  /** The same, for who takes an answer in parts. */
  async executeParts(execution: Execution): Promise<AnswerInParts> {
    const compiled = await this.#compile(execution)
    if (compiled.parts === undefined) return { first: await this.execute(execution) }
    return runParts(compiled.parts, compiled.begin(execution), { compiled, schema: this.#options.schema })
  }

  /** What a subscription is started with. Rejects with a GatewayError when it cannot be planned. */
  async subscription(execution: Execution): Promise<{ subgraph: Subgraph; fetch: SubgraphFetch }> {
    const compiled = await this.#compile(execution)
    const [ask] = compiled.primary?.asks(compiled.begin(execution)) ?? []
    if (ask === undefined)
      throw new GatewayError('GRAPHQL_VALIDATION_FAILED', 'The subscription asks for nothing.')
    return { subgraph: ask.fetch.subgraph, fetch: requestOf(ask.fetch.operation, variablesOf(ask)) }
  }

  /** What one event of a subscription comes to; `event` is what its subgraph sent. */
  async executeEvent(execution: Execution, event: SubgraphData): Promise<OperationResult> {
    const compiled = await this.#compile(execution)
    const run = compiled.begin(execution)
    for (const ask of compiled.primary?.asks(run) ?? []) ask.accept(event)
    await compiled.fetch?.(run)
    return compiled.answer(run)
  }

  #compile(execution: Execution): CompiledOperation | Promise<CompiledOperation> {
    const plan = this.#planner.plan(execution)
    return plan instanceof Promise
      ? plan.then((made) => this.#compiledOf(made, execution))
      : this.#compiledOf(plan, execution)
  }

  #compiledOf(plan: Plan, { operation }: Execution): CompiledOperation {
    let compiled = this.#compiled.get(plan)
    if (compiled === undefined) {
      compiled = new CompiledOperation(plan, operation, this.#options)
      this.#compiled.set(plan, compiled)
    }
    return compiled
  }
}
