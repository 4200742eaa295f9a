/** A graph as one server would serve it, and how it is split over subgraphs. Types are in the spelling of GraphQL: `[E0!]!`. */
export interface Model {
  readonly seed: string
  readonly subgraphs: string[]
  readonly objects: Map<string, ObjectModel>
  readonly interfaces: Map<string, InterfaceModel>
  readonly unions: Map<string, UnionModel>
  readonly enums: Map<string, EnumModel>
  readonly inputs: Map<string, InputModel>
  readonly scalars: string[]
}

export interface ObjectModel {
  readonly kind: 'entity' | 'value' | 'root'
  readonly name: string
  readonly fields: FieldModel[]
  /** Of entities, by subgraph. */
  readonly keys: Record<string, KeyModel[]>
  /** The subgraphs that define it; of roots: all that have a field of it. */
  readonly subgraphs: Set<string>
}

export interface KeyModel {
  /** A selection: `id`, `a b`, `org { code }`. */
  readonly fields: string
  readonly resolvable: boolean
}

export interface FieldModel {
  readonly name: string
  readonly type: string
  readonly args: readonly ArgumentModel[]
  /** The subgraphs that resolve it. */
  readonly owners: Set<string>
  /** The subgraphs that only declare it. */
  readonly external: Set<string>
  /** The subgraph that lost it to its owner by `@override`. */
  overriddenIn: string | undefined
  requires: string | undefined
  /** By subgraph: what is provided below it. */
  readonly provides: Record<string, string>
  /** Subgraphs that promise more than `type`, which is what clients see. */
  readonly typeIn: Record<string, string>
  inaccessible: boolean
  tag: string | undefined
  /** A leaf of a key: of its own for each object, or so only together with the others of the key. */
  readonly keyLeaf?: 'unique' | 'low' | 'high'
  /** Concrete types or values of an enum that every owner knows; undefined: any. */
  possible?: readonly string[]
  /** No resolver of it fails: other subgraphs need its value. */
  isNeeded: boolean
}

export interface ArgumentModel {
  readonly name: string
  readonly type: string
  /** As a JavaScript value; enum values are texts. */
  readonly default?: unknown
  readonly inaccessible?: boolean
}

export interface InterfaceModel {
  readonly name: string
  readonly fields: readonly FieldModel[]
  /** By subgraph that defines it: the objects that implement it there. */
  readonly members: Map<string, Set<string>>
  /** Of an entity interface: the key. */
  readonly key: string | undefined
  /** Where it is an `@interfaceObject`. */
  readonly objectIn: Set<string>
}

export interface UnionModel {
  readonly name: string
  readonly members: Map<string, Set<string>>
}

export interface EnumModel {
  readonly name: string
  readonly values: readonly string[]
  /** By subgraph: fewer values; an enum with it is for outputs only. */
  readonly valuesIn: Map<string, readonly string[]> | undefined
}

export interface InputModel {
  readonly name: string
  readonly fields: readonly ArgumentModel[]
  /** A field that only this subgraph has: clients cannot give it. */
  readonly onlyIn: string | undefined
}

/** The type without lists and non-nulls. */
export function named(type: string): string {
  return type.replaceAll(/[[\]!]/g, '')
}

export function field(name: string, type: string, more: Partial<FieldModel> = {}): FieldModel {
  return {
    name,
    type,
    args: [],
    owners: new Set(),
    external: new Set(),
    overriddenIn: undefined,
    requires: undefined,
    provides: {},
    typeIn: {},
    inaccessible: false,
    tag: undefined,
    isNeeded: false,
    ...more,
  }
}

/** The field as the object has it, those of `@interfaceObject`s included. */
export function fieldOf(model: Model, typeName: string, name: string): FieldModel {
  const found = model.objects.get(typeName)?.fields.find((one) => one.name === name)
  if (found !== undefined) return found
  for (const { fields, members, objectIn } of model.interfaces.values()) {
    if (objectIn.size === 0 || ![...members.values()].some((set) => set.has(typeName))) continue
    const added = fields.find((one) => one.name === name)
    if (added !== undefined) return added
  }
  throw new Error(`there is no ${typeName}.${name}`)
}

/** Objects that a value of the type may be, in any subgraph. */
export function membersOf(model: Model, name: string, subgraph?: string): string[] {
  if (model.objects.has(name)) return [name]
  const { members } = model.interfaces.get(name) ?? model.unions.get(name) ?? { members: undefined }
  if (members === undefined) return []
  if (subgraph === undefined) return [...new Set([...members.values()].flatMap((set) => [...set]))]
  const here = members.get(subgraph)
  if (here !== undefined) return [...here]
  return model.interfaces.get(name)?.objectIn.has(subgraph) ? membersOf(model, name) : []
}
