import {
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLSchema,
  getNamedType,
  type InlineFragmentNode,
  isCompositeType,
  isUnionType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql'
import { fragmentsOf } from '../fragments.ts'
import type { FieldConditions } from './field-conditions.ts'

/** The conditions of all fields that an operation selects, its fragments included, ascending. Each fragment is looked at once. */
export function conditionsOf(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  { schema, fields }: { readonly schema: GraphQLSchema; readonly fields: FieldConditions },
): readonly number[] {
  const found = new Set<number>()
  const seen = new Set<FragmentDefinitionNode | InlineFragmentNode>()
  const fragments = fragmentsOf(document)
  const visit = ({ selections }: SelectionSetNode, type: GraphQLCompositeType): void => {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) {
        const name = selection.name.value
        for (const index of fields.get(type.name)?.get(name) ?? []) found.add(index)
        const field = isUnionType(type) ? undefined : type.getFields()[name]
        const named = field === undefined ? undefined : getNamedType(field.type)
        if (selection.selectionSet !== undefined && isCompositeType(named))
          visit(selection.selectionSet, named)
        continue
      }
      const fragment =
        selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value) : selection
      if (fragment === undefined || seen.has(fragment)) continue
      seen.add(fragment)
      const condition = fragment.typeCondition && schema.getType(fragment.typeCondition.name.value)
      visit(fragment.selectionSet, isCompositeType(condition) ? condition : type)
    }
  }
  const root = schema.getRootType(operation.operation)
  if (root) visit(operation.selectionSet, root)
  return [...found].sort((a, b) => a - b)
}
