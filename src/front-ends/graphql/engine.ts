import { buildSchema, type GraphQLSchema, getVariableValues, parse } from 'graphql'
import { GatewayError } from '../../core/error.ts'
import type { Logger } from '../../core/log.ts'
import { createGuard, type GuardOptions } from './create-guard.ts'
import { Documents, type KnownDocument, type UsedDocument } from './documents.ts'
import { Executor } from './execution/executor.ts'
import type { AnswerInParts } from './execution/run-parts.ts'
import { InvalidOperation } from './invalid-operation.ts'
import type { OperationLimits } from './limits.ts'
import type { Execution, KnownOperation, OperationResult } from './operation.ts'
import type { OperationGuard } from './operation-guard.ts'
import { type LoadOptions, loadPlanner, type Planner } from './planning/planner.ts'
import type { PlanningFigures } from './planning/planning-figures.ts'
import type { Viewer } from './requests/viewer.ts'
import { SharedOperations } from './shared-operations.ts'
import type { Subgraph } from './subgraphs/subgraph.ts'
import { OperationEvents } from './subscriptions/operation-events.ts'
import type { SharedSubscriptions } from './subscriptions/shared-subscriptions.ts'
import { planText } from './supergraph/plan-text.ts'
import { subgraphNames, withoutEnforcedFeatures } from './supergraph-features.ts'

/** What {@link startEngine} needs. */
export interface EngineOptions {
  readonly supergraphSdl: string
  /** In any order; more than the supergraph names do no harm. */
  readonly subgraphs: readonly Subgraph[]
  readonly limits: OperationLimits
  /** Who reads where nobody in particular does: the operator, by what is configured. */
  readonly viewer: Viewer
  readonly guard: GuardOptions
  readonly subscriptions: SubscriptionOptions
  readonly planning?: LoadOptions
  /** Whether identical queries of clients that are under way at a time are run once. Default false. */
  readonly sharesOperations?: boolean | undefined
  readonly log: Logger
}

/** How subscriptions are run. */
export interface SubscriptionOptions {
  /** Those that are open at subgraphs, of this engine and others. */
  readonly shared: SharedSubscriptions
  /** Whether each event is charged what the operation costs. */
  readonly chargeEvents: boolean
}

/** One supergraph, ready to run operations: reads, guards, plans and executes them. */
export class Engine {
  /** What clients may ask for. */
  readonly schema: GraphQLSchema
  readonly #documents: Documents
  readonly #guard: OperationGuard
  readonly #executor: Executor
  readonly #planner: Planner
  readonly #subscriptions: SubscriptionOptions
  readonly #events = new Set<OperationEvents>()
  #ended: GatewayError | undefined
  readonly #viewer: Viewer
  readonly #shared: SharedOperations | undefined

  constructor(options: EngineOptions, planner: Planner) {
    const { supergraphSdl, subgraphs, limits, guard, log } = options
    const supergraph = parse(supergraphSdl)
    this.#planner = planner
    this.#subscriptions = options.subscriptions
    this.#viewer = options.viewer
    this.#shared = options.sharesOperations === true ? new SharedOperations() : undefined
    this.schema = buildSchema(planner.apiSdl, { assumeValid: true })
    const { schema } = this
    this.#documents = new Documents({ schema, limits })
    this.#guard = createGuard(supergraph, { ...guard, schema, log })
    this.#executor = new Executor({ schema, supergraph, planner, subgraphs })
  }

  /** Throws a GatewayError for a document that is not to be run. */
  read(text: string, viewer = this.#viewer): KnownDocument {
    return this.#documents.read(text, viewer)
  }

  /** Holds variables to the types of the operation; throws an InvalidOperation that names those that do not fit, 20 at the most. */
  checkVariables({ node }: KnownOperation, variables: Execution['variables'], viewer = this.#viewer): void {
    if (!node.variableDefinitions?.length) return
    const { errors } = getVariableValues(this.schema, node.variableDefinitions, variables, { maxErrors: 20 })
    if (errors !== undefined) throw new InvalidOperation('INVALID_ARGUMENT', errors, !viewer.suggestions)
  }

  /** Runs a query or a mutation. Rejects with a GatewayError when it is not to be run; what fails later is among the errors. */
  async execute(execution: Execution): Promise<OperationResult> {
    const admitted = await this.#guard.admit(execution)
    const result = await (this.#shared === undefined
      ? this.#executor.execute(admitted.execution)
      : this.#shared.run(admitted.execution, () => this.#executor.execute(admitted.execution)))
    const whole = admitted.complete === undefined ? result : admitted.complete(result)
    return execution.context.showsPlan === true ? this.#withPlan(whole, admitted.execution) : whole
  }

  /** The same, for who takes an answer in parts. Of an operation of which the caller may not have all there is one. */
  async executeParts(execution: Execution): Promise<AnswerInParts> {
    const admitted = await this.#guard.admit(execution)
    const { complete } = admitted
    if (complete === undefined) return this.#executor.executeParts(admitted.execution)
    return { first: complete(await this.#executor.execute(admitted.execution)) }
  }

  /** Begins a subscription. Rejects with a GatewayError when it is not to be run, or its subgraph does not take it. */
  async subscribe(execution: Execution): Promise<OperationEvents> {
    const { execution: admitted, complete } = await this.#guard.admit(execution)
    const { subgraph, fetch } = await this.#executor.subscription(admitted)
    const subscription = subgraph.subscribe?.(fetch, admitted.context)
    if (subscription === undefined)
      throw new GatewayError('NOT_IMPLEMENTED', `Subgraph "${subgraph.name}" takes no subscriptions.`)
    const { shared, chargeEvents } = this.#subscriptions
    const events = new OperationEvents({
      execution: admitted,
      subscription,
      queue: await shared.join(subscription, execution.context.x),
      run: async (one, event) => {
        const result = await this.#executor.executeEvent(one, event)
        return complete === undefined ? result : complete(result)
      },
      charge: () => (chargeEvents ? this.#guard.chargeEvent(admitted) : undefined),
      onOver: (over) => this.#events.delete(over),
    })
    // While its subgraph was asked.
    if (this.#ended !== undefined) {
      events.close()
      throw this.#ended
    }
    this.#events.add(events)
    return events
  }

  /** Ends the subscriptions for that reason, and takes no more. */
  endSubscriptions(error: GatewayError): void {
    this.#ended = error
    for (const events of [...this.#events]) events.close(error)
  }

  /** Has an operation planned that is going to be run. Rejects with a GatewayError when it cannot be. */
  async prepare(operation: KnownOperation): Promise<void> {
    await this.#planner.warm(operation)
  }

  /** The documents that were read most often, most used first. */
  mostUsed(max: number): UsedDocument[] {
    return this.#documents.mostUsed(max)
  }

  get planning(): PlanningFigures {
    return this.#planner.figures
  }

  /** The plan of what was run, which may be less than what was asked for. */
  async #withPlan(result: OperationResult, execution: Execution): Promise<OperationResult> {
    const plan = await this.#planner.plan(execution)
    const queryPlan = { text: planText(plan), object: { kind: 'QueryPlan', node: plan.node } }
    return { ...result, extensions: { ...result.extensions, queryPlan } }
  }

  close(): void {
    this.#planner.close()
  }
}

/** Loads a supergraph. Rejects with an Error when it does not load or names a subgraph that is not configured. */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const supergraph = parse(options.supergraphSdl)
  for (const name of subgraphNames(supergraph)) {
    if (!options.subgraphs.some((subgraph) => subgraph.name === name))
      throw new Error(`The supergraph names a subgraph "${name}" that is not configured.`)
  }
  const planner = await loadPlanner(withoutEnforcedFeatures(supergraph), options.planning)
  return new Engine(options, planner)
}
