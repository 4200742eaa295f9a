import type { GraphQLFormattedError, GraphQLSchema } from 'graphql'
import type { Execution, KnownOperation, OperationResult } from '../operation.ts'
import type { Plan } from '../planning/plan.ts'
import { AnswerWriter } from './answer-writer.ts'
import { Combinations } from './combinations.ts'
import { compileFetch, compilePlan, type PlanOptions, type Step } from './compile-plan.ts'
import type { DataObject } from './data-object.ts'
import { compileParts, type Part } from './deferred.ts'
import type { PlannedFetch } from './planned-fetch.ts'
import { Run } from './run.ts'
import type { Write } from './writing.ts'

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
  /** Undefined: the answer does not come in parts. */
  readonly parts: Part | undefined
  readonly #answer: AnswerWriter
  readonly #combinations = new Combinations()

  constructor(plan: Plan, operation: KnownOperation, options: CompileOptions) {
    const { node } = plan
    if (node?.kind === 'Subscription') {
      this.primary = compileFetch(node.primary, options)
      this.fetch = node.rest === undefined ? undefined : compilePlan(node.rest, options)
    } else this.fetch = node === undefined ? undefined : compilePlan(node, options)
    this.parts = compileParts(plan, operation, options)
    this.#answer = new AnswerWriter(plan, operation, options.schema)
  }

  begin(execution: Execution): Run {
    return new Run(execution, this.#combinations)
  }

  /** A run of a part: what it fetches joins the data, what fails is its own. */
  beginPart({ execution, data }: Run): Run {
    return new Run(execution, this.#combinations, data)
  }

  /** The errors of the fetches of a run, as clients see them. */
  told(run: Run): GraphQLFormattedError[] {
    return this.#answer.told(run)
  }

  /** What one object of a part comes to. */
  writePart(
    write: Write,
    of: { readonly run: Run; readonly object: DataObject; readonly path: Path },
  ): OperationResult {
    return this.#answer.writePart(write, of)
  }

  /** What a run came to, once all is fetched. */
  answer(run: Run): OperationResult {
    return this.#answer.write(run)
  }
}

type Path = readonly (string | number)[]
