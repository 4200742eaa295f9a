import type { GraphQLSchema } from 'graphql'
import type { Execution, KnownOperation, OperationResult } from '../operation.ts'
import type { Plan } from '../planning/plan.ts'
import { AnswerWriter } from './answer-writer.ts'
import { Combinations } from './combinations.ts'
import { compilePlan, type PlanOptions, type Step } from './compile-plan.ts'
import { PlannedFetch } from './planned-fetch.ts'
import { Run } from './run.ts'

/** What {@link CompiledOperation} is made with. */
export interface CompileOptions extends PlanOptions {
  /** What clients may ask for. */
  readonly schema: GraphQLSchema
}

/** An operation and its plan, compiled. */
export class CompiledOperation {
  /** Undefined: nothing is fetched. */
  readonly fetch: Step | undefined
  /** Of a subscription: the fetch that subscribes. */
  readonly primary: PlannedFetch | undefined
  readonly #answer: AnswerWriter
  readonly #combinations = new Combinations()

  constructor(plan: Plan, operation: KnownOperation, options: CompileOptions) {
    const { node } = plan
    if (node?.kind === 'Subscription') {
      const subgraph = options.subgraphs.get(node.primary.serviceName)
      if (subgraph === undefined) throw new Error(`The plan names a subgraph "${node.primary.serviceName}".`)
      this.primary = new PlannedFetch(node.primary, { subgraph, path: [], types: options.types })
      this.fetch = node.rest === undefined ? undefined : compilePlan(node.rest, options)
    } else this.fetch = node === undefined ? undefined : compilePlan(node, options)
    this.#answer = new AnswerWriter(plan, operation, options.schema)
  }

  begin(execution: Execution): Run {
    return new Run(execution, this.#combinations)
  }

  /** What a run came to, once all is fetched. */
  answer(run: Run): OperationResult {
    return this.#answer.write(run)
  }
}
