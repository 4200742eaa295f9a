import { Kind, type SelectionSetNode } from 'graphql'
import type { Fragments } from '../fragments.ts'

/** A response key at the top of a fetch. */
export interface TopKey {
  readonly key: string
  /** The type conditions that it stands under, outermost first. */
  readonly on: readonly string[]
}

/** The response keys at the top of a fetch, but for those that only it needs (`__typename`). */
export function topKeys(
  { selections }: SelectionSetNode,
  fragments: Fragments,
  on: readonly string[] = [],
): TopKey[] {
  return selections.flatMap((node) => {
    if (node.kind === Kind.FIELD) {
      return node.name.value === '__typename' ? [] : [{ key: node.alias?.value ?? node.name.value, on }]
    }
    const fragment = node.kind === Kind.FRAGMENT_SPREAD ? fragments.get(node.name.value) : node
    if (fragment === undefined) return []
    const condition = fragment.typeCondition?.name.value
    return topKeys(fragment.selectionSet, fragments, condition === undefined ? on : [...on, condition])
  })
}
