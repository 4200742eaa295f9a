import {
  buildASTSchema,
  type DocumentNode,
  type GraphQLEnumType,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  Kind,
  parse,
  type TypeDefinitionNode,
  type TypeSystemDefinitionNode,
  valueFromAST,
} from 'graphql'
import { entityKeys } from './entity-keys.ts'

/** Values of enums that a service spells otherwise: by enum, by the schema's name of the value. */
export type EnumSpellings = Readonly<Record<string, Readonly<Record<string, string>>>>

/**
 * The schema of a subgraph as its GraphQL server would have it: with `_entities`, without the directives of federation. Values of enums are
 * inside as the service spells them. Throws a GraphQLError for SDL that cannot be read.
 */
export function serviceSchema(sdl: string, enums: EnumSpellings): GraphQLSchema {
  const document = withEntities(parse(sdl))
  const schema = buildASTSchema(document, { assumeValid: true, assumeValidSDL: true })
  const types = Object.values(schema.getTypeMap())
  for (const type of types) if (isEnumType(type)) respell(type, enums[type.name] ?? {})
  for (const type of types) readDefaultsAgain(type)
  return schema
}

/** A type may be spread over extensions, also without a definition (Federation 1, `extend type Query`). */
function withEntities(document: DocumentNode): DocumentNode {
  const entities = [...entityKeys(document).keys()]
  const extra =
    entities.length === 0
      ? []
      : parse(
          `scalar _Any union _Entity = ${entities.join(' | ')} extend type ${queryName(document)} { _entities(representations: [_Any!]!): [_Entity]! }`,
        ).definitions
  const definitions = [...document.definitions, ...extra].filter(
    (node) =>
      node.kind !== Kind.DIRECTIVE_DEFINITION &&
      !(node.kind === Kind.SCHEMA_EXTENSION && !node.operationTypes?.length),
  )
  const defined = new Set(
    definitions.flatMap((node) =>
      isDefinition(node) && 'name' in node && node.name ? [node.name.value] : [],
    ),
  )
  return {
    ...document,
    definitions: definitions.map((node) => {
      const kind = definitionKinds[node.kind]
      if (kind === undefined || !('name' in node) || node.name === undefined) return node
      const { name } = node
      if (defined.has(name.value)) return node
      defined.add(name.value)
      return { ...node, kind } as TypeDefinitionNode
    }),
  }
}

function queryName(document: DocumentNode): string {
  const roots = document.definitions.flatMap((node) =>
    node.kind === Kind.SCHEMA_DEFINITION || node.kind === Kind.SCHEMA_EXTENSION
      ? (node.operationTypes ?? [])
      : [],
  )
  return roots.find(({ operation }) => operation === 'query')?.type.name.value ?? 'Query'
}

function isDefinition(node: { readonly kind: Kind }): node is TypeSystemDefinitionNode {
  return node.kind.endsWith('Definition')
}

const definitionKinds: Partial<Readonly<Record<Kind, Kind>>> = {
  [Kind.OBJECT_TYPE_EXTENSION]: Kind.OBJECT_TYPE_DEFINITION,
  [Kind.INTERFACE_TYPE_EXTENSION]: Kind.INTERFACE_TYPE_DEFINITION,
  [Kind.UNION_TYPE_EXTENSION]: Kind.UNION_TYPE_DEFINITION,
  [Kind.ENUM_TYPE_EXTENSION]: Kind.ENUM_TYPE_DEFINITION,
  [Kind.INPUT_OBJECT_TYPE_EXTENSION]: Kind.INPUT_OBJECT_TYPE_DEFINITION,
  [Kind.SCALAR_TYPE_EXTENSION]: Kind.SCALAR_TYPE_DEFINITION,
}

function respell(type: GraphQLEnumType, spellings: Readonly<Record<string, string>>): void {
  const names = new Map<unknown, string>()
  for (const value of type.getValues()) {
    value.value = spellings[value.name] ?? value.name
    names.set(value.value, value.name)
  }
  type.serialize = (found) => {
    const name = names.get(found)
    if (name === undefined) throw new Error(`Enum "${type.name}" has no such value.`)
    return name
  }
}

/** Defaults were read before the enums in them were spelled. */
function readDefaultsAgain(type: GraphQLNamedType): void {
  const inputs: {
    defaultValue: unknown
    type: GraphQLInputType
    astNode?: { readonly defaultValue?: unknown } | null | undefined
  }[] = isInputObjectType(type)
    ? Object.values(type.getFields())
    : isObjectType(type) || isInterfaceType(type)
      ? Object.values(type.getFields()).flatMap(({ args }) => args)
      : []
  for (const input of inputs) {
    const node = input.astNode?.defaultValue as Parameters<typeof valueFromAST>[0]
    if (node !== undefined) input.defaultValue = valueFromAST(node, input.type)
  }
}
