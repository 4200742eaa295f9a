import type { FetchNode, QueryPlanSelectionNode } from '@apollo/query-planner'
import {
  type DocumentNode,
  Kind,
  type OperationDefinitionNode,
  parse,
  print,
  type SelectionNode,
  type SelectionSetNode,
  stripIgnoredCharacters,
  visit,
} from 'graphql'
import type { PlannerSupergraph } from './planner-supergraph.ts'

/** What is known of made-up fields. */
export type AdaptedFields = Pick<PlannerSupergraph, 'made' | 'needs'>

/**
 * Two fields of one entity may want the same field of another subgraph with different arguments. A representation has room for one of
 * them only, so each gets a fetch of its own. Any other fetch comes back as it is.
 */
export function splitFetch(fetch: FetchNode, adapted: AdaptedFields): FetchNode[] {
  const { requires } = fetch
  if (requires === undefined || !conflicts(requires, adapted)) return [fetch]
  const document = parse(fetch.operation, { noLocation: true })
  const passes = new Passes(fetch.serviceName, adapted)
  visit(document, {
    OperationDefinition: (node) => passes.place(entitySelections(node)),
    FragmentDefinition: () => false,
  })
  return passes.all.map((made, index) => ({
    ...fetch,
    requires: withoutOthers(requires, adapted, made),
    ...onlyPass(document, passes, index),
  }))
}

/** Whether a representation of one type would have a field twice. */
function conflicts(requires: readonly QueryPlanSelectionNode[], { made }: AdaptedFields): boolean {
  return requires.some((node) => {
    if (node.kind !== 'InlineFragment') return false
    const fields = node.selections.flatMap((one) =>
      one.kind === 'Field' ? (made.get(one.name)?.field ?? one.name) : [],
    )
    return new Set(fields).size < fields.length || conflicts(node.selections, { made, needs: new Map() })
  })
}

/** The fetches that a fetch becomes: fields whose needs go together share one. */
class Passes {
  /** Of each pass the made-up fields that it needs. */
  readonly all: Set<string>[] = [new Set()]
  readonly #subgraph: string
  readonly #adapted: AdaptedFields
  readonly #passOf = new Map<SelectionNode, number>()

  constructor(subgraph: string, adapted: AdaptedFields) {
    this.#subgraph = subgraph
    this.#adapted = adapted
  }

  /** Finds a pass for each field that is directly on an entity. */
  place(set: SelectionSetNode, type = ''): void {
    for (const node of set.selections) {
      if (node.kind === Kind.INLINE_FRAGMENT)
        this.place(node.selectionSet, node.typeCondition?.name.value ?? type)
      if (node.kind === Kind.FIELD) this.#passOf.set(node, this.#passFor(`${type}.${node.name.value}`))
    }
  }

  /** Fields that are not placed are in every pass. */
  has(node: SelectionNode, pass: number): boolean {
    return (this.#passOf.get(node) ?? pass) === pass
  }

  #passFor(field: string): number {
    const needs = this.#adapted.needs.get(`${this.#subgraph} ${field}`) ?? []
    if (needs.length === 0) return 0
    const real = (name: string): string | undefined => this.#adapted.made.get(name)?.field
    const free = this.all.findIndex((pass) =>
      needs.every((need) => pass.has(need) || ![...pass].some((other) => real(other) === real(need))),
    )
    const pass = free === -1 ? this.all.push(new Set()) - 1 : free
    for (const need of needs) this.all[pass]?.add(need)
    return pass
  }
}

function onlyPass(
  document: DocumentNode,
  passes: Passes,
  pass: number,
): Pick<FetchNode, 'operation' | 'variableUsages'> {
  const used = new Set<string>()
  const kept: DocumentNode = visit(document, {
    Field: { enter: (node) => (passes.has(node, pass) ? undefined : null) },
    InlineFragment: { leave: (node) => (node.selectionSet.selections.length === 0 ? null : undefined) },
  })
  visit(kept, {
    VariableDefinition: () => false,
    Variable: ({ name }) => void used.add(name.value),
  })
  const operation: DocumentNode = visit(kept, {
    VariableDefinition: ({ variable }) => (used.has(variable.name.value) ? undefined : null),
  })
  used.delete('representations')
  return { operation: stripIgnoredCharacters(print(operation)), variableUsages: [...used] }
}

/** What a pass sends of each entity: without what only other passes need. */
function withoutOthers(
  requires: readonly QueryPlanSelectionNode[],
  adapted: AdaptedFields,
  needed: ReadonlySet<string>,
): QueryPlanSelectionNode[] {
  return requires.flatMap((node): QueryPlanSelectionNode | [] => {
    if (node.kind === 'InlineFragment')
      return { ...node, selections: withoutOthers(node.selections, adapted, needed) }
    return adapted.made.has(node.name) && !needed.has(node.name) ? [] : node
  })
}

/** What is selected of `_entities`. */
function entitySelections({ selectionSet }: OperationDefinitionNode): SelectionSetNode {
  const [field] = selectionSet.selections
  return (field?.kind === Kind.FIELD ? field.selectionSet : undefined) ?? selectionSet
}
