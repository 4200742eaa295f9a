import {
  type DocumentNode,
  executeSync,
  type FieldNode,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
} from 'graphql'

/** What {@link introspect} asks of which schema. */
export interface Introspecting {
  readonly schema: GraphQLSchema
  readonly operation: OperationDefinitionNode
  readonly document: DocumentNode
}

/** What a schema says under one response key (`__schema`, `__type`), as JSON. */
export function introspect(
  fields: readonly FieldNode[],
  { schema, operation, document }: Introspecting,
  variableValues: Readonly<Record<string, unknown>>,
): string {
  const asked = { ...operation, selectionSet: { kind: Kind.SELECTION_SET, selections: fields } } as const
  const fragments = document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION)
  const { data } = executeSync({
    schema,
    document: { kind: Kind.DOCUMENT, definitions: [asked, ...fragments] },
    variableValues,
  })
  const [value] = Object.values(data ?? {})
  return JSON.stringify(value ?? null)
}
