import {
  type ConstDirectiveNode,
  type ConstValueNode,
  type DocumentNode,
  type FieldDefinitionNode,
  Kind,
  type TypeDefinitionNode,
  type TypeNode,
} from 'graphql'
import { argumentsOf, type SupergraphFeatures } from '../supergraph-features.ts'
import type { Condition } from './condition.ts'

/** A type of the supergraph with what its directives ask, as written. */
export interface ProtectedType {
  readonly kind: 'object' | 'interface' | 'leaf'
  /** The interfaces that it implements. */
  readonly interfaces: readonly string[]
  /** Indexes into the conditions. */
  readonly conditions: readonly number[]
  readonly fields: ReadonlyMap<string, ProtectedField>
  /** Field sets by which subgraphs find its objects. */
  readonly keys: readonly string[]
  /** Names of the contexts that it sets for the types below it. */
  readonly contexts: readonly string[]
}

export interface ProtectedField {
  readonly conditions: readonly number[]
  /** The named type of its values. */
  readonly type: string
  /** Field sets of its own type that subgraphs are told to answer it (`@requires`). */
  readonly requires: readonly string[]
  /** Values of types above that subgraphs are told to answer it (`@fromContext`). */
  readonly fromContext: readonly { readonly context: string; readonly selection: string }[]
}

/** The types of a supergraph by name, and the conditions that are written in it, each once. */
export interface AppliedConditions {
  readonly types: ReadonlyMap<string, ProtectedType>
  readonly conditions: readonly Condition[]
}

/** Reads what a supergraph asks of callers. Throws an Error for a directive whose argument is no list of lists. */
export function readConditions(supergraph: DocumentNode, features: SupergraphFeatures): AppliedConditions {
  const conditions: Condition[] = []
  const indexes = new Map<string, number>()
  const index = (condition: Condition): number => {
    const key = JSON.stringify(condition)
    const known = indexes.get(key)
    if (known !== undefined) return known
    indexes.set(key, conditions.length)
    return conditions.push(condition) - 1
  }
  const asked = (directives: readonly ConstDirectiveNode[] = []): number[] =>
    directives.flatMap((directive) => {
      const condition = conditionOf(directive, features)
      return condition === undefined ? [] : index(condition)
    })
  const types = new Map<string, ProtectedType>()
  for (const node of supergraph.definitions) {
    if (!isTypeDefinition(node)) continue
    const composite =
      node.kind === Kind.OBJECT_TYPE_DEFINITION || node.kind === Kind.INTERFACE_TYPE_DEFINITION
    types.set(node.name.value, {
      kind: composite ? (node.kind === Kind.OBJECT_TYPE_DEFINITION ? 'object' : 'interface') : 'leaf',
      interfaces: composite ? (node.interfaces ?? []).map(({ name }) => name.value) : [],
      conditions: asked(node.directives),
      fields: composite
        ? new Map(
            (node.fields ?? []).map((field) => [field.name.value, fieldOf(field, asked(field.directives))]),
          )
        : new Map(),
      keys: textsOf(node.directives, 'join__type', 'key'),
      contexts: features.context === undefined ? [] : textsOf(node.directives, features.context, 'name'),
    })
  }
  return { types, conditions }
}

function fieldOf(node: FieldDefinitionNode, conditions: readonly number[]): ProtectedField {
  return {
    conditions,
    type: namedType(node.type),
    requires: textsOf(node.directives, 'join__field', 'requires'),
    fromContext: (node.directives ?? []).flatMap((directive) => {
      const list =
        directive.name.value === 'join__field' ? argumentsOf(directive).contextArguments : undefined
      return (list?.kind === Kind.LIST ? list.values : []).flatMap((item) => {
        if (item.kind !== Kind.OBJECT) return []
        const members = Object.fromEntries(item.fields.map(({ name, value }) => [name.value, text(value)]))
        return { context: members.context ?? '', selection: members.selection ?? '' }
      })
    }),
  }
}

function conditionOf(node: ConstDirectiveNode, features: SupergraphFeatures): Condition | undefined {
  const name = node.name.value
  if (name === features.authenticated) return { kind: 'authenticated' }
  if (name === features.requiresScopes) return { kind: 'scopes', anyOf: alternatives(node, 'scopes') }
  if (name === features.policy) return { kind: 'policies', anyOf: alternatives(node, 'policies') }
  return undefined
}

function alternatives(node: ConstDirectiveNode, name: 'scopes' | 'policies'): string[][] {
  return listed(argumentsOf(node)[name], node).map((item) =>
    listed(item, node).map((value) => {
      if (value.kind !== Kind.STRING) throw malformed(node)
      return value.value
    }),
  )
}

/** A single value is a list of one (GraphQL specification section 3.11). */
function listed(value: ConstValueNode | undefined, node: ConstDirectiveNode): readonly ConstValueNode[] {
  if (value === undefined || value.kind === Kind.NULL) throw malformed(node)
  return value.kind === Kind.LIST ? value.values : [value]
}

function malformed({ name, loc }: ConstDirectiveNode): Error {
  const { line, column } = loc?.startToken ?? { line: 1, column: 1 }
  return new Error(
    `line ${line}, column ${column} of the supergraph: @${name.value} needs a list of lists of names`,
  )
}

function textsOf(
  directives: readonly ConstDirectiveNode[] = [],
  directive: string,
  argument: string,
): string[] {
  return directives.flatMap((node) => {
    const value = node.name.value === directive ? text(argumentsOf(node)[argument]) : undefined
    return value === undefined ? [] : value
  })
}

function text(value: ConstValueNode | undefined): string | undefined {
  return value?.kind === Kind.STRING ? value.value : undefined
}

function namedType(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : namedType(type.type)
}

function isTypeDefinition(node: { kind: string }): node is TypeDefinitionNode {
  return node.kind.endsWith('TypeDefinition')
}
