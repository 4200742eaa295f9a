import {
  type ConstDirectiveNode,
  type ConstValueNode,
  type DocumentNode,
  Kind,
  print,
  type SchemaDefinitionNode,
  type SchemaExtensionNode,
  visit,
} from 'graphql'

/** The names that a supergraph has for directives that the gateway acts on; undefined: it does not link their specification. */
export interface SupergraphFeatures {
  readonly authenticated: string | undefined
  readonly requiresScopes: string | undefined
  readonly policy: string | undefined
  readonly cost: string | undefined
  readonly listSize: string | undefined
  readonly context: string | undefined
}

/**
 * Reads the links of a supergraph (specs.apollo.dev/link/v1.0): a directive may have been imported under another name, and must
 * be found under that name only.
 */
export function readFeatures(supergraph: DocumentNode): SupergraphFeatures {
  const links = linksOf(supergraph)
  const name = (feature: string, directive = feature): string | undefined => {
    const link = links.find((one) => one.feature === feature)
    if (link === undefined) return undefined
    const imported = link.imports.get(`@${directive}`)
    if (imported !== undefined) return imported.slice(1)
    const prefix = link.as ?? feature
    return directive === feature ? prefix : `${prefix}__${directive}`
  }
  return {
    authenticated: name('authenticated'),
    requiresScopes: name('requiresScopes'),
    policy: name('policy'),
    cost: name('cost'),
    listSize: name('cost', 'listSize'),
    context: name('context'),
  }
}

/**
 * The supergraph as Apollo Gateway takes it: it loads no supergraph with a SECURITY feature that it does not enforce. The mark is taken
 * off exactly those that the gateway enforces itself; any other, or another version of them, still does not load.
 */
export function withoutEnforcedFeatures(supergraph: DocumentNode): string {
  return print(
    visit(supergraph, {
      Directive(node) {
        const url = node.arguments?.find(({ name }) => name.value === 'url')?.value
        if (url?.kind !== Kind.STRING || !enforced.has(url.value.replace(/\/$/, ''))) return undefined
        return { ...node, arguments: node.arguments?.filter((argument) => argument.name.value !== 'for') }
      },
    }),
  )
}

/** The names of the subgraphs that a supergraph is made of (specs.apollo.dev/join, `@join__graph`). */
export function subgraphNames(supergraph: DocumentNode): string[] {
  return supergraph.definitions.flatMap((node) => {
    if (node.kind !== Kind.ENUM_TYPE_DEFINITION || node.name.value !== 'join__Graph') return []
    return (node.values ?? []).flatMap(({ directives = [] }) =>
      directives.flatMap((directive) => {
        const { name } = argumentsOf(directive)
        return name?.kind === Kind.STRING ? name.value : []
      }),
    )
  })
}

/** The arguments of a directive by name. */
export function argumentsOf(node: ConstDirectiveNode): Readonly<Record<string, ConstValueNode>> {
  return Object.fromEntries((node.arguments ?? []).map(({ name, value }) => [name.value, value]))
}

/**
 * `context` is one because what a subgraph is told through it must be what the supergraph says: the executor sees to it. `cacheTag` says which kept
 * answers are to be dropped, and none are kept.
 */
const enforced = new Set(
  ['authenticated', 'requiresScopes', 'policy', 'context', 'cacheTag'].map(
    (name) => `https://specs.apollo.dev/${name}/v0.1`,
  ),
)

interface Link {
  readonly feature: string
  readonly as: string | undefined
  /** `@name` to the name that it has here. */
  readonly imports: ReadonlyMap<string, string>
}

const specification = /^https:\/\/specs\.apollo\.dev\/(\w+)\/v\d+\.\d+\/?$/

function linksOf(supergraph: DocumentNode): Link[] {
  const schemas = supergraph.definitions.filter(
    (node): node is SchemaDefinitionNode | SchemaExtensionNode =>
      node.kind === Kind.SCHEMA_DEFINITION || node.kind === Kind.SCHEMA_EXTENSION,
  )
  return schemas
    .flatMap(({ directives = [] }) => directives)
    .flatMap((directive) => {
      const { url, as, import: imports } = argumentsOf(directive)
      const feature = url?.kind === Kind.STRING ? specification.exec(url.value)?.[1] : undefined
      if (feature === undefined) return []
      return { feature, as: as?.kind === Kind.STRING ? as.value : undefined, imports: importsOf(imports) }
    })
}

function importsOf(list: ConstValueNode | undefined): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const item of list?.kind === Kind.LIST ? list.values : []) {
    if (item.kind === Kind.STRING) found.set(item.value, item.value)
    if (item.kind !== Kind.OBJECT) continue
    const members = Object.fromEntries(item.fields.map(({ name, value }) => [name.value, value]))
    if (members.name?.kind !== Kind.STRING) continue
    found.set(members.name.value, members.as?.kind === Kind.STRING ? members.as.value : members.name.value)
  }
  return found
}
