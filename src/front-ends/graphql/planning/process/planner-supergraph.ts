import {
  type ConstDirectiveNode,
  type DocumentNode,
  type FieldDefinitionNode,
  Kind,
  type ObjectTypeDefinitionNode,
  print,
  visit,
} from 'graphql'
import { argumentsOf } from '../../supergraph-features.ts'
import type { OverrideLabel } from '../messages.ts'
import { FieldSets, type MadeField } from './field-sets.ts'
import type { LiftedFields } from './lift-fields.ts'

/** A supergraph, changed so that Apollo's planner makes no mistake with it, and what to know of it afterwards. */
export interface PlannerSupergraph {
  /** Undefined: nothing had to be changed. */
  readonly sdl: string | undefined
  /** Fields that were made up, by name. */
  readonly made: ReadonlyMap<string, MadeField>
  /** `subgraph Type.field` to the made-up fields that its `@requires` names at the top. */
  readonly needs: ReadonlyMap<string, readonly string[]>
  /** Response keys that the planner itself may select, for keys, `@requires`, `@provides` and contexts. */
  readonly ownKeys: ReadonlySet<string>
  /** Names of all fields. */
  readonly fieldNames: ReadonlySet<string>
  readonly overrides: readonly OverrideLabel[]
  readonly lifted: LiftedFields
}

/**
 * Cures two mistakes of the planner by what it is shown. It re-enters a subgraph by the first key of a type although that may be
 * `resolvable: false` where a later one is not: such keys are put last. And it selects what a `@requires` names under the field's own name
 * whatever its arguments: each field with arguments in a `@requires` becomes a field of its own, without arguments; `executableNode`
 * turns it back.
 */
export function adaptSupergraph(supergraph: DocumentNode): PlannerSupergraph {
  const sets = new FieldSets(supergraph)
  const needs = new Map<string, string[]>()
  const labels = new Map<string, Set<string>>()
  const subgraphs = subgraphNamesByGraph(supergraph)
  let changed = false
  const rewritten = supergraph.definitions.map((type) => {
    if (type.kind !== Kind.OBJECT_TYPE_DEFINITION && type.kind !== Kind.INTERFACE_TYPE_DEFINITION) return type
    const directives = resolvableFirst(type.directives ?? [])
    changed ||= directives.some((node, index) => node !== type.directives?.[index])
    for (const node of directives) sets.note(argumentsOf(node).key)
    const fields = (type.fields ?? []).map((field) => ({
      ...field,
      directives: (field.directives ?? []).map(joined(type.name.value, field)),
    }))
    return { ...type, directives, fields }
  })
  const made = sets.made
  const definitions = rewritten.map((type) => {
    if (made.size === 0) return type
    if (type.kind !== Kind.OBJECT_TYPE_DEFINITION && type.kind !== Kind.INTERFACE_TYPE_DEFINITION) return type
    return withMadeFields(type as ObjectTypeDefinitionNode, sets)
  })
  const overrides = [...labels].map(([label, fields]) => ({
    label,
    fields,
    always: [...fields].some((name) => sets.names.has(name)) || made.size > 0,
  }))
  const sdl = changed || made.size > 0 ? print({ kind: Kind.DOCUMENT, definitions }) : undefined
  const lifted = liftedFields(supergraph)
  return { sdl, made, needs, ownKeys: sets.names, fieldNames: sets.fieldNames, overrides, lifted }

  function joined(
    type: string,
    field: FieldDefinitionNode,
  ): (node: ConstDirectiveNode) => ConstDirectiveNode {
    return (node) => {
      if (node.name.value !== 'join__field') return node
      const { graph, requires, provides, overrideLabel, contextArguments } = argumentsOf(node)
      sets.note(provides)
      if (contextArguments?.kind === Kind.LIST)
        for (const item of contextArguments.values) sets.noteContext(item)
      if (overrideLabel?.kind === Kind.STRING) {
        const moved = labels.get(overrideLabel.value)
        if (moved === undefined) labels.set(overrideLabel.value, new Set([field.name.value]))
        else moved.add(field.name.value)
      }
      if (requires?.kind !== Kind.STRING) return node
      const { text, top } = sets.withoutArguments(requires.value, type)
      if (top.length > 0 && graph?.kind === Kind.ENUM) {
        needs.set(`${subgraphs.get(graph.value)} ${type}.${field.name.value}`, top)
      }
      return {
        ...node,
        arguments: (node.arguments ?? []).map((argument) =>
          argument.name.value === 'requires'
            ? { ...argument, value: { kind: Kind.STRING as const, value: text } }
            : argument,
        ),
      }
    }
  }
}

/** Fields that an `@interfaceObject` has by a `@requires`, of each type that implements the interface. */
function liftedFields(supergraph: DocumentNode): LiftedFields {
  const lifted = new Map<string, Map<string, string>>()
  for (const type of supergraph.definitions) {
    if (type.kind !== Kind.INTERFACE_TYPE_DEFINITION) continue
    const graphs = new Set(
      (type.directives ?? [])
        .map(argumentsOf)
        .flatMap(({ isInterfaceObject, graph }) =>
          isInterfaceObject?.kind === Kind.BOOLEAN && isInterfaceObject.value && graph?.kind === Kind.ENUM
            ? graph.value
            : [],
        ),
    )
    if (graphs.size === 0) continue
    const names = (type.fields ?? []).flatMap(({ name, directives = [] }) =>
      directives
        .map(argumentsOf)
        .some(
          ({ requires, graph }) =>
            requires !== undefined && graph?.kind === Kind.ENUM && graphs.has(graph.value),
        )
        ? name.value
        : [],
    )
    for (const other of supergraph.definitions) {
      if (other.kind !== Kind.OBJECT_TYPE_DEFINITION && other.kind !== Kind.INTERFACE_TYPE_DEFINITION)
        continue
      if (!other.interfaces?.some(({ name }) => name.value === type.name.value)) continue
      const fields = lifted.get(other.name.value) ?? new Map<string, string>()
      for (const name of names) fields.set(name, type.name.value)
      if (fields.size > 0) lifted.set(other.name.value, fields)
    }
  }
  return lifted
}

function resolvableFirst(directives: readonly ConstDirectiveNode[]): ConstDirectiveNode[] {
  const last = (node: ConstDirectiveNode): boolean => {
    const { resolvable } = node.name.value === 'join__type' ? argumentsOf(node) : {}
    return resolvable?.kind === Kind.BOOLEAN && !resolvable.value
  }
  return [...directives.filter((node) => !last(node)), ...directives.filter(last)]
}

/** A made-up field is where its original is, in the same subgraphs. */
function withMadeFields(type: ObjectTypeDefinitionNode, sets: FieldSets): ObjectTypeDefinitionNode {
  const fields = [...sets.made.values()].flatMap((made) => {
    const original = type.fields?.find(({ name }) => name.value === made.field)
    if (original === undefined || !made.types.has(type.name.value)) return []
    const directives = (original.directives ?? []).filter(({ name }) => name.value === 'join__field')
    return { ...original, name: { kind: Kind.NAME as const, value: made.name }, arguments: [], directives }
  })
  return fields.length === 0 ? type : { ...type, fields: [...(type.fields ?? []), ...fields] }
}

function subgraphNamesByGraph(supergraph: DocumentNode): Map<string, string> {
  const found = new Map<string, string>()
  visit(supergraph, {
    EnumTypeDefinition(node) {
      for (const { name, directives = [] } of node.name.value === 'join__Graph' ? (node.values ?? []) : [])
        for (const directive of directives) {
          const given = argumentsOf(directive).name
          if (given?.kind === Kind.STRING) found.set(name.value, given.value)
        }
      return false
    },
  })
  return found
}
