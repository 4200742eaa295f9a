import { operationFromDocument, printSchema, type Schema, Supergraph } from '@apollo/federation-internals'
import { QueryPlanner } from '@apollo/query-planner'
import { type DocumentNode, type FieldNode, Kind, parse } from 'graphql'
import { fragmentsOf } from '../../fragments.ts'
import type { LoadAnswer, PlanAnswer, PlannedSupergraph, PlanRequest } from '../messages.ts'
import type { Plan } from '../plan.ts'
import { executableNode } from './executable-node.ts'
import { hideExternalFields } from './hide-external-fields.ts'
import { type PlannedOperation, plannedOperation } from './planned-operation.ts'
import { adaptSupergraph, type PlannerSupergraph } from './planner-supergraph.ts'
import { hasUnmetRequires } from './unmet-requires.ts'

/** One supergraph in Apollo's planner. */
export class LoadedSupergraph {
  readonly facts: LoadAnswer
  readonly #planner: QueryPlanner
  readonly #api: Schema
  readonly #adapted: PlannerSupergraph
  readonly #subgraphs: ReadonlyMap<string, Schema>

  /** Throws an Error when it does not load. */
  constructor({ sdl, bounds }: PlannedSupergraph) {
    const { maxEvaluatedPlans, pathsLimit } = bounds
    const asGiven = Supergraph.build(sdl)
    this.#adapted = adaptSupergraph(parse(sdl))
    const supergraph =
      this.#adapted.sdl === undefined
        ? asGiven
        : Supergraph.build(this.#adapted.sdl, { validateSupergraph: false })
    // Only a supergraph that is right as it came may be changed: what is made up is not looked at again.
    asGiven.subgraphs()
    this.facts = { apiSdl: printSchema(asGiven.apiSchema()), overrides: this.#adapted.overrides }
    this.#api = supergraph.apiSchema()
    this.#planner = new QueryPlanner(supergraph, {
      // Named fragments in what subgraphs are asked save bytes only, and cost time.
      reuseQueryFragments: false,
      // Objects of another type on the same path are not asked for what the client does not ask of them.
      typeConditionedFetching: true,
      incrementalDelivery: { enableDefer: true },
      debug: { maxEvaluatedPlans, pathsLimit: pathsLimit ?? null },
    })
    this.#subgraphs = new Map(
      supergraph
        .subgraphs()
        .values()
        .map(({ name, schema }) => [name, schema]),
    )
    hideExternalFields(this.#subgraphs.values())
  }

  /** Throws an Error when the planner fails or finds no plan. */
  plan({ document, operationName, conditions, overrides }: PlanRequest): PlanAnswer {
    const planned = plannedOperation(parse(document), {
      operationName,
      conditions,
      supergraph: this.#adapted,
    })
    const node = this.#nodeFor(planned, overrides)
    const plan: Plan = { node, document: planned.text, responseKeys: planned.responseKeys }
    const evaluatedPlans = this.#planner.lastGeneratedPlanStatistics()?.evaluatedPlanCount ?? 0
    return { plan: JSON.stringify(plan), evaluatedPlans }
  }

  #nodeFor({ document }: PlannedOperation, overrides: readonly string[]): Plan['node'] {
    if (document === undefined) return undefined
    const overrideConditions = new Map(overrides.map((label) => [label, true]))
    const operation = operationFromDocument(this.#api, document)
    const { node } = this.#planner.buildQueryPlan(operation, { overrideConditions })
    if (node !== undefined && hasUnmetRequires(node, this.#subgraphs))
      throw new Error('The planner made a plan that asks for a field before what the field @requires.')
    // Seen for operations that the planner finds no way through: nulls without an error, if it were run.
    if (node === undefined && asksSubgraphs(document)) throw new Error('The planner made an empty plan.')
    return node === undefined ? undefined : executableNode(node, this.#adapted)
  }
}

/** Whether an operation without conditions selects anything that the gateway does not know by itself. */
function asksSubgraphs(document: DocumentNode): boolean {
  const fields: FieldNode[] = []
  const fragments = fragmentsOf(document)
  const waiting = document.definitions.flatMap((node) =>
    node.kind === Kind.OPERATION_DEFINITION ? [node.selectionSet] : [],
  )
  for (const set of waiting) {
    for (const node of set.selections) {
      if (node.kind === Kind.FIELD) fields.push(node)
      else if (node.kind === Kind.INLINE_FRAGMENT) waiting.push(node.selectionSet)
      else {
        const spread = fragments.get(node.name.value)?.selectionSet
        if (spread !== undefined && !waiting.includes(spread)) waiting.push(spread)
      }
    }
  }
  return fields.some(({ name }) => !name.value.startsWith('__'))
}
