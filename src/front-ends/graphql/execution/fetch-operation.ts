import type { FetchNode } from '@apollo/query-planner'
import { Kind, parse, print, type SelectionSetNode } from 'graphql'
import { type Fragments, fragmentsOf } from '../fragments.ts'
import type { SubgraphFetch } from '../subgraphs/subgraph.ts'

/** The operation of a fetch: all that is the same for each request is written once. */
export interface FetchOperation {
  readonly type: SubgraphFetch['type']
  readonly query: string
  readonly operationName: string | undefined
  /** The request as JSON up to where the variables come: `{"query":"…"`. */
  readonly head: string
}

/** Writes the text of an operation as JSON, once for all its requests. */
export function fetchOperation(
  type: SubgraphFetch['type'],
  query: string,
  operationName: string | undefined,
): FetchOperation {
  const name = operationName === undefined ? '' : `,"operationName":${JSON.stringify(operationName)}`
  return { type, query, operationName, head: `{"query":${JSON.stringify(query)}${name}` }
}

/** One request; `members` are its variables as JSON: `"id":"1"`. */
export function requestOf(operation: FetchOperation, members: readonly string[]): SubgraphFetch {
  const { type, query, operationName, head } = operation
  const variables = members.length === 0 ? undefined : `{${members.join(',')}}`
  const body = variables === undefined ? `${head}}` : `${head},"variables":${variables}}`
  return { type, query, operationName, variables, body }
}

/** What a fetch selects: of the root, or of the entities that it asks for. */
export function selectionsOf({ operation, requires }: FetchNode): {
  readonly selections: SelectionSetNode
  readonly fragments: Fragments
  /** Those of the operation, as text. */
  readonly directives: string
} {
  const document = parse(operation, { noLocation: true })
  const fragments = fragmentsOf(document)
  const found = document.definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION)
  if (found === undefined) throw new Error('A fetch has no operation.')
  const directives = (found.directives ?? []).map((directive) => print(directive)).join(' ')
  if (requires === undefined) return { selections: found.selectionSet, fragments, directives }
  const [entities] = found.selectionSet.selections
  if (entities?.kind !== Kind.FIELD || entities.selectionSet === undefined)
    throw new Error('A fetch of entities does not ask for any.')
  return { selections: entities.selectionSet, fragments, directives }
}
