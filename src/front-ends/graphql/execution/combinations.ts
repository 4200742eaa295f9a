import {
  type FieldNode,
  Kind,
  type OperationDefinitionNode,
  parse,
  print,
  type SelectionNode,
  stripIgnoredCharacters,
  type VariableDefinitionNode,
  visit,
} from 'graphql'
import { BoundedMap } from '../bounded-map.ts'
import { type FetchOperation, fetchOperation } from './fetch-operation.ts'
import type { PlannedFetch } from './planned-fetch.ts'

/** The response key of the entities of the fetch with that index; of its root fields, what theirs begin with (`_`, then the field's own). */
export function aliasOf(index: number): string {
  return `_${index}`
}

/** What the names of variables end with that only the fetch with that index has. */
export function suffixOf(index: number): string {
  return `__${index}`
}

/** Whether a variable of a client could be taken for one that only one fetch has. */
export function isSuffixed(variable: string): boolean {
  return /__\d+$/.test(variable)
}

/** Operations that ask for what several fetches of one plan ask for; written once (32 of a plan). */
export class Combinations {
  readonly #known = new BoundedMap<string, FetchOperation>(32)
  readonly #numbers = new Map<PlannedFetch, number>()

  /** The fetches are queries to one subgraph. */
  of(fetches: readonly PlannedFetch[]): FetchOperation {
    const key = fetches.map((fetch) => this.#numberOf(fetch)).join()
    let operation = this.#known.get(key)
    if (operation === undefined) {
      operation = combine(fetches)
      this.#known.set(key, operation)
    }
    return operation
  }

  #numberOf(fetch: PlannedFetch): number {
    let number = this.#numbers.get(fetch)
    if (number === undefined) {
      number = this.#numbers.size
      this.#numbers.set(fetch, number)
    }
    return number
  }
}

function combine(fetches: readonly PlannedFetch[]): FetchOperation {
  const parts = fetches.map((fetch, index) => partFor(fetch, index))
  const definitions = new Map(
    parts.flatMap(({ variableDefinitions = [] }) =>
      variableDefinitions.map((definition) => [definition.variable.name.value, definition] as const),
    ),
  )
  const [first] = parts as [OperationDefinitionNode]
  const operation: OperationDefinitionNode = {
    ...first,
    variableDefinitions: [...definitions.values()],
    selectionSet: {
      kind: Kind.SELECTION_SET,
      selections: parts.flatMap(({ selectionSet }) => selectionSet.selections),
    },
  }
  return fetchOperation('query', stripIgnoredCharacters(print(operation)), first.name?.value)
}

/** The operation of a fetch, with aliases and variables that are like those of no other. */
function partFor(fetch: PlannedFetch, index: number): OperationDefinitionNode {
  const document = parse(fetch.operation.query, { noLocation: true })
  const operation = document.definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION)
  if (operation === undefined) throw new Error('A fetch has no operation.')
  const renamed: OperationDefinitionNode = visit(operation, {
    Variable: (node) =>
      fetch.ownVariables.has(node.name.value)
        ? { ...node, name: { ...node.name, value: `${node.name.value}${suffixOf(index)}` } }
        : undefined,
  })
  const alias = (field: FieldNode): string =>
    fetch.isEntityFetch ? aliasOf(index) : `${aliasOf(index)}_${(field.alias ?? field.name).value}`
  return {
    ...renamed,
    variableDefinitions: renamed.variableDefinitions as readonly VariableDefinitionNode[],
    selectionSet: {
      ...renamed.selectionSet,
      selections: aliased(renamed.selectionSet.selections, alias),
    },
  }
}

function aliased(
  selections: readonly SelectionNode[],
  alias: (field: FieldNode) => string,
): readonly SelectionNode[] {
  return selections.map((node) => {
    if (node.kind === Kind.FIELD) return { ...node, alias: { kind: Kind.NAME, value: alias(node) } }
    if (node.kind === Kind.FRAGMENT_SPREAD) return node
    const { selectionSet } = node
    return { ...node, selectionSet: { ...selectionSet, selections: aliased(selectionSet.selections, alias) } }
  })
}
