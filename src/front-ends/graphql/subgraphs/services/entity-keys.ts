import {
  type ConstDirectiveNode,
  type DocumentNode,
  Kind,
  type ObjectTypeDefinitionNode,
  type ObjectTypeExtensionNode,
  parse,
  type SelectionSetNode,
} from 'graphql'

/** What a subgraph says of one of its entities. */
export interface EntityKeys {
  /** Of each key by which it can be asked for here: the names of its fields at the top. */
  readonly resolvable: readonly ReadonlySet<string>[]
  /** Fields that a representation may have: of keys, and those that `@requires` asks for. */
  readonly given: ReadonlySet<string>
  /** Fields that only representations have. */
  readonly external: ReadonlySet<string>
}

/** The entities of a subgraph by their type: object types with a key. A directive that the SDL imports under another name counts. */
export function entityKeys(document: DocumentNode): ReadonlyMap<string, EntityKeys> {
  const named = importedNames(document)
  const nodes = document.definitions.filter(
    (node): node is ObjectTypeDefinitionNode | ObjectTypeExtensionNode =>
      node.kind === Kind.OBJECT_TYPE_DEFINITION || node.kind === Kind.OBJECT_TYPE_EXTENSION,
  )
  const found = new Map<string, EntityKeys>()
  for (const [name, parts] of Map.groupBy(nodes, (node) => node.name.value)) {
    const keys = parts.flatMap(({ directives = [] }) => directives.filter((node) => named(node) === 'key'))
    if (keys.length === 0) continue
    const fields = parts.flatMap((part) => part.fields ?? [])
    const given = new Set(keys.flatMap(topFields))
    const external = new Set<string>()
    for (const field of fields) {
      for (const directive of field.directives ?? []) {
        if (named(directive) === 'external') external.add(field.name.value)
        if (named(directive) === 'requires') for (const name of topFields(directive)) given.add(name)
      }
    }
    const resolvable = keys
      .filter((key) => argument(key, 'resolvable') !== false)
      .map((key) => new Set(topFields(key)))
    found.set(name, { resolvable, given, external })
  }
  return found
}

function topFields(directive: ConstDirectiveNode): string[] {
  const fields = argument(directive, 'fields')
  const document = parse(`{ ${String(fields)} }`, { noLocation: true })
  const [operation] = document.definitions
  const set: SelectionSetNode | undefined =
    operation?.kind === Kind.OPERATION_DEFINITION ? operation.selectionSet : undefined
  return (set?.selections ?? []).flatMap((node) => (node.kind === Kind.FIELD ? [node.name.value] : []))
}

function argument({ arguments: given = [] }: ConstDirectiveNode, name: string): unknown {
  const value = given.find((node) => node.name.value === name)?.value
  return value !== undefined && 'value' in value ? value.value : undefined
}

/** What a directive is called by federation, whatever the `@link` of the document calls it. */
function importedNames(document: DocumentNode): (node: ConstDirectiveNode) => string {
  const names = new Map<string, string>()
  for (const node of document.definitions) {
    if (node.kind !== Kind.SCHEMA_EXTENSION && node.kind !== Kind.SCHEMA_DEFINITION) continue
    for (const link of node.directives ?? []) {
      const imports = link.arguments?.find(({ name }) => name.value === 'import')?.value
      if (imports?.kind !== Kind.LIST) continue
      for (const item of imports.values) {
        if (item.kind !== Kind.OBJECT) continue
        const [from, as] = ['name', 'as'].map((key) => {
          const value = item.fields.find(({ name }) => name.value === key)?.value
          return value?.kind === Kind.STRING ? value.value.slice(1) : undefined
        })
        if (from !== undefined && as !== undefined) names.set(as, from)
      }
    }
  }
  return ({ name }) => names.get(name.value) ?? name.value.replace(/^federation__/, '')
}
