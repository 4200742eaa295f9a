import {
  type FieldNode,
  type GraphQLCompositeType,
  type GraphQLSchema,
  isAbstractType,
  isUnionType,
  Kind,
  type SelectionSetNode,
} from 'graphql'
import type { Fragments } from '../fragments.ts'
import { inclusionOf, type Variables } from '../inclusion.ts'

/** What fields are collected from. */
export interface Selecting {
  readonly schema: GraphQLSchema
  readonly fragments: Fragments
  readonly variables: Variables
}

/**
 * The fields that are asked of objects of a type, by response key in the order of the operation (GraphQL specification section 6.3.2).
 * Undefined: that the object is of this interface or union is not enough to know.
 */
export function collectFields(
  sets: readonly SelectionSetNode[],
  type: GraphQLCompositeType,
  selecting: Selecting,
): Map<string, FieldNode[]> | undefined {
  let isKnown = true
  const fields = new Map<string, FieldNode[]>()
  const visited = new Set<string>()
  const collect = ({ selections }: SelectionSetNode): void => {
    for (const node of selections) {
      if (!selecting.variables.includes(inclusionOf(node))) continue
      if (node.kind === Kind.FIELD) {
        if (node.name.value === '__typename' && isAbstractType(type)) isKnown = false
        const key = (node.alias ?? node.name).value
        const known = fields.get(key)
        if (known === undefined) fields.set(key, [node])
        else known.push(node)
        continue
      }
      const isSpread = node.kind === Kind.FRAGMENT_SPREAD
      if (isSpread && visited.has(node.name.value)) continue
      if (isSpread) visited.add(node.name.value)
      const fragment = isSpread ? selecting.fragments.get(node.name.value) : node
      if (fragment === undefined) continue
      if (meetsCondition(fragment.typeCondition?.name.value, type, selecting.schema))
        collect(fragment.selectionSet)
      else if (isAbstractType(type)) isKnown = false
    }
  }
  for (const set of sets) collect(set)
  return isKnown ? fields : undefined
}

/** Whether all objects of a type meet a type condition; none is met by all. */
export function meetsCondition(
  condition: string | undefined,
  type: GraphQLCompositeType,
  schema: GraphQLSchema,
): boolean {
  if (condition === undefined || condition === type.name) return true
  const other = schema.getType(condition)
  return isAbstractType(other) && !isUnionType(type) && schema.isSubType(other, type)
}
