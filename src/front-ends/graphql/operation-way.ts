import {
  type DocumentNode,
  type FieldNode,
  type GraphQLCompositeType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isCompositeType,
  isListType,
  isUnionType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql'

/** A valid operation. */
export interface ValidOperation {
  readonly operation: OperationDefinitionNode
  readonly document: DocumentNode
  readonly schema: GraphQLSchema
}

/** Why a way into the data of an operation (`user.reviews`) leads nowhere; undefined: it leads to what the operation asks for. */
export function wayProblem(way: string, { operation, document, schema }: ValidOperation): string | undefined {
  let selections: SelectionSetNode | undefined = operation.selectionSet
  let type: GraphQLCompositeType | undefined = schema.getRootType(operation.operation) ?? undefined
  let list: string | undefined
  for (const key of way.split('.')) {
    if (list !== undefined) return `"${list}" is a list, which nothing is looked up in`
    const found: Found | undefined =
      selections === undefined ? undefined : fieldOf(selections, key, { document, schema, type })
    if (found === undefined) return `the operation asks for no "${key}" there`
    if (found.type !== undefined && isListType(getNullableType(found.type))) list = key
    const named: unknown = found.type === undefined ? undefined : getNamedType(found.type)
    type = isCompositeType(named) ? named : undefined
    selections = found.field.selectionSet
  }
  return undefined
}

interface Found {
  readonly field: FieldNode
  readonly type: GraphQLOutputType | undefined
}

interface Where {
  readonly document: DocumentNode
  readonly schema: GraphQLSchema
  readonly type: GraphQLCompositeType | undefined
}

/** The field under a response key, in this selection set or in its fragments. */
function fieldOf({ selections }: SelectionSetNode, key: string, where: Where): Found | undefined {
  const { document, schema, type } = where
  for (const node of selections) {
    if (node.kind === Kind.FIELD) {
      if ((node.alias?.value ?? node.name.value) !== key) continue
      const fields = type === undefined || isUnionType(type) ? {} : type.getFields()
      return { field: node, type: fields[node.name.value]?.type }
    }
    const fragment =
      node.kind === Kind.INLINE_FRAGMENT
        ? node
        : document.definitions.find(
            (one) => one.kind === Kind.FRAGMENT_DEFINITION && one.name.value === node.name.value,
          )
    if (fragment === undefined || !('selectionSet' in fragment)) continue
    const condition = 'typeCondition' in fragment ? fragment.typeCondition?.name.value : undefined
    const on = condition === undefined ? type : schema.getType(condition)
    const found = fieldOf(fragment.selectionSet, key, {
      document,
      schema,
      type: isCompositeType(on) ? on : undefined,
    })
    if (found !== undefined) return found
  }
  return undefined
}
