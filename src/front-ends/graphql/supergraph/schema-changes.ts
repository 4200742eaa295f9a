import {
  findBreakingChanges,
  findDangerousChanges,
  type GraphQLNamedType,
  type GraphQLSchema,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
} from 'graphql'

/**
 * What a change means to clients: `breaking` ones fail, `dangerous` ones may (a new value of an enum, another default), and `safe` ones need not notice.
 */
export interface SchemaChange {
  readonly kind: 'breaking' | 'dangerous' | 'safe'
  /** As in graphql-js, `FIELD_REMOVED`. */
  readonly type: string
  readonly description: string
}

/** What is different in another version of a schema, the worst first. */
export function schemaChanges(before: GraphQLSchema, after: GraphQLSchema): SchemaChange[] {
  return [
    ...findBreakingChanges(before, after).map((change) => ({ kind: 'breaking' as const, ...change })),
    ...findDangerousChanges(before, after).map((change) => ({ kind: 'dangerous' as const, ...change })),
    ...additions(before, after),
  ]
}

/** What graphql-js does not tell: what is there besides, and what is to go. */
function additions(before: GraphQLSchema, after: GraphQLSchema): SchemaChange[] {
  return Object.values(after.getTypeMap()).flatMap((type) => {
    if (isIntrospectionType(type)) return []
    const old = before.getType(type.name)
    if (old === undefined) return [safe('TYPE_ADDED', `${type.name} was added.`)]
    const [known, now] = [fieldsOf(old), fieldsOf(type)]
    return Object.entries(now).flatMap(([name, { deprecationReason }]) => {
      const field = known[name]
      const at = `${type.name}.${name}`
      // Input fields that were added are told above.
      if (field === undefined) return isInputObjectType(type) ? [] : [safe('FIELD_ADDED', `${at} was added.`)]
      if (deprecationReason == null || field.deprecationReason != null) return []
      return [safe('FIELD_DEPRECATED', `${at} was deprecated: ${deprecationReason}`)]
    })
  })
}

function fieldsOf(
  type: GraphQLNamedType,
): Readonly<Record<string, { deprecationReason?: string | null | undefined }>> {
  return isObjectType(type) || isInterfaceType(type) || isInputObjectType(type) ? type.getFields() : {}
}

function safe(type: string, description: string): SchemaChange {
  return { kind: 'safe', type, description }
}
