import {
  type DocumentNode,
  type FieldNode,
  type InlineFragmentNode,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
  visit,
} from 'graphql'
import { fragmentsOf } from '../../fragments.ts'

/** Fields to be asked of an interface rather than of a type that implements it: type to field to interface. */
export type LiftedFields = ReadonlyMap<string, ReadonlyMap<string, string>>

/**
 * Cures a mistake of the planner by what it is asked: for a field with a `@requires` of an `@interfaceObject`, selected on one of the
 * types (`... on Book { rating }`), it thinks for ever. The field is asked of the interface instead (`... on Media { rating }`); the answer
 * is made by the operation as it was.
 */
export function liftFields(document: DocumentNode, lifted: LiftedFields): DocumentNode {
  if (lifted.size === 0 || !selectsAny(document, lifted)) return document
  const fragments = fragmentsOf(document)
  const definitions = document.definitions.flatMap((node) =>
    node.kind === Kind.OPERATION_DEFINITION ? { ...node, selectionSet: lift(node.selectionSet) } : [],
  )
  return { ...document, definitions }

  function lift(set: SelectionSetNode): SelectionSetNode {
    return { ...set, selections: set.selections.flatMap((node) => liftSelection(node)) }
  }

  function liftSelection(node: SelectionNode): SelectionNode[] {
    if (node.kind === Kind.FIELD)
      return [node.selectionSet === undefined ? node : { ...node, selectionSet: lift(node.selectionSet) }]
    const fragment = node.kind === Kind.INLINE_FRAGMENT ? node : inlined(node.name.value)
    if (fragment === undefined) return [node]
    const directives = node.directives ?? []
    const inner = fragment.selectionSet.selections.flatMap((one) => liftSelection(one))
    const fields = lifted.get(fragment.typeCondition?.name.value ?? '')
    if (fields === undefined || directives.length > 0)
      return [{ ...fragment, directives, selectionSet: { ...fragment.selectionSet, selections: inner } }]
    const kept = inner.filter((one) => interfaceOf(one, fields) === undefined)
    const out = inner.flatMap((one) => {
      const name = interfaceOf(one, fields)
      return name === undefined ? [] : on(name, [one])
    })
    // The answer is still made by type: it must come to be known.
    return [on(fragment.typeCondition?.name.value ?? '', kept.length === 0 ? [typename] : kept), ...out]
  }

  function inlined(name: string): InlineFragmentNode | undefined {
    const fragment = fragments.get(name)
    return fragment === undefined ? undefined : { ...on('', []), ...fragment, kind: Kind.INLINE_FRAGMENT }
  }
}

function interfaceOf(node: SelectionNode, fields: ReadonlyMap<string, string>): string | undefined {
  return node.kind === Kind.FIELD ? fields.get(node.name.value) : undefined
}

function on(type: string, selections: readonly SelectionNode[]): InlineFragmentNode {
  return {
    kind: Kind.INLINE_FRAGMENT,
    typeCondition: { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: type } },
    selectionSet: { kind: Kind.SELECTION_SET, selections },
  }
}

function selectsAny(document: DocumentNode, lifted: LiftedFields): boolean {
  const names = new Set([...lifted.values()].flatMap((fields) => [...fields.keys()]))
  let found = false
  visit(document, {
    Field: ({ name }) => {
      found ||= names.has(name.value)
    },
  })
  return found
}

const typename: FieldNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } }
