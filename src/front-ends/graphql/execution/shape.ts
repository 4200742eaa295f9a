import type { FetchDataRewrite } from '@apollo/query-planner'
import { Kind, type SelectionSetNode } from 'graphql'
import type { Fragments } from '../fragments.ts'

/** What a fetch may bring into an object: its response keys, over all types that the object may be of. */
export type Shape = readonly ShapeField[]

/** One response key. */
export interface ShapeField {
  readonly key: string
  /** Undefined: a leaf, whose value is nobody's to look into. */
  readonly children: Shape | undefined
}

/** The shape of a selection set after the rewrites of its fetch. */
export function shapeOf(
  selections: SelectionSetNode,
  { fragments, rewrites = [] }: { fragments: Fragments; rewrites?: readonly FetchDataRewrite[] | undefined },
): Shape {
  const open: OpenShape = new Map()
  collect(selections, fragments, open)
  for (const rewrite of rewrites) if (rewrite.kind === 'KeyRenamer') rename(open, rewrite)
  return closed(open)
}

type OpenShape = Map<string, OpenShape | undefined>

function collect({ selections }: SelectionSetNode, fragments: Fragments, shape: OpenShape): void {
  for (const node of selections) {
    if (node.kind === Kind.INLINE_FRAGMENT) collect(node.selectionSet, fragments, shape)
    else if (node.kind === Kind.FRAGMENT_SPREAD) {
      const fragment = fragments.get(node.name.value)
      if (fragment !== undefined) collect(fragment.selectionSet, fragments, shape)
    } else {
      const key = node.alias?.value ?? node.name.value
      const children = shape.get(key) ?? (node.selectionSet === undefined ? undefined : new Map())
      if (children !== undefined && node.selectionSet !== undefined)
        collect(node.selectionSet, fragments, children)
      shape.set(key, children)
    }
  }
}

function rename(shape: OpenShape, { path, renameKeyTo }: { path: string[]; renameKeyTo: string }): void {
  const keys = path.filter((part) => !part.startsWith('... on '))
  const from = keys.pop()
  let at: OpenShape | undefined = shape
  for (const key of keys) at = at?.get(key)
  if (from === undefined || at === undefined || !at.has(from)) return
  const renamed = at.get(from)
  at.delete(from)
  at.set(renameKeyTo, joined(at.get(renameKeyTo), renamed))
}

function joined(one: OpenShape | undefined, other: OpenShape | undefined): OpenShape | undefined {
  if (one === undefined || other === undefined) return one ?? other
  for (const [key, children] of other) one.set(key, joined(one.get(key), children))
  return one
}

function closed(shape: OpenShape): Shape {
  return [...shape].map(([key, children]) => ({
    key,
    children: children === undefined ? undefined : closed(children),
  }))
}
