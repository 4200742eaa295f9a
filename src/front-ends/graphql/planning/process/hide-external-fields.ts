import {
  type CompositeType,
  collectTargetFields,
  type Directive,
  federationMetadata,
  type Schema,
} from '@apollo/federation-internals'

/**
 * Cures a mistake of the planner in the schemas that it has made of the subgraphs: it takes a field that a subgraph only names, as
 * `@external` for a `@requires`, for one that the subgraph can be asked for, and merges fetches by that. Once its graph is built it has
 * no need to find such a field by name.
 */
export function hideExternalFields(subgraphs: Iterable<Schema>): void {
  for (const schema of subgraphs) {
    const metadata = federationMetadata(schema)
    if (metadata === undefined) continue
    const ofKeys = keyFields(schema)
    for (const type of [...schema.objectTypes(), ...schema.interfaceTypes()]) {
      const hidden = new Set<string>()
      for (const field of type.fields())
        if (metadata.isFieldFullyExternal(field) && !ofKeys.has(field.coordinate)) hidden.add(field.name)
      if (hidden.size === 0) continue
      const find = type.field.bind(type)
      Object.assign(type, { field: (name: string) => (hidden.has(name) ? undefined : find(name)) })
    }
  }
}

/** The planner reads keys anew each time. */
function keyFields(schema: Schema): Set<string> {
  const found = new Set<string>()
  for (const directive of federationMetadata(schema)?.keyDirective().applications() ?? []) {
    const fields = collectTargetFields({
      parentType: directive.parent as CompositeType,
      directive: directive as Directive<CompositeType, { fields: string }>,
      includeInterfaceFieldsImplementations: true,
      validate: false,
    })
    for (const { coordinate } of fields) found.add(coordinate)
  }
  return found
}
