import { isJsonObject, valueAt } from '../../../../core/json-value.ts'

/** An object of which first only some fields are known, by their names in the schema: what a representation says, or what a resolver made. */
export class Entity {
  /** Of the schema. */
  readonly typeName: string
  /** By names of the schema. */
  readonly known: Readonly<Record<string, unknown>>
  /** What the service says of it; undefined: it was not asked. */
  readonly loaded: unknown

  constructor(typeName: string, known: Readonly<Record<string, unknown>>, loaded?: unknown) {
    this.typeName = typeName
    this.known = known
    this.loaded = loaded
  }
}

/** Fields of a type that are members of another name in what the service sends: keys to them. */
export type Renames = ReadonlyMap<string, readonly string[]>

/** What `this.<way>` is of an object: a field of the schema, or a member as the service sent it. */
export function memberAt(object: unknown, way: readonly string[], renames: Renames): unknown {
  const [first = '', ...rest] = way
  const known = object instanceof Entity ? valueAt(object.known, way) : undefined
  if (known !== undefined) return known
  const renamed = renames.get(first)
  return valueAt(
    object instanceof Entity ? object.loaded : object,
    renamed === undefined ? way : [...renamed, ...rest],
  )
}

export const noRenames: Renames = new Map()

/** Whether something can have fields. */
export function isObject(value: unknown): boolean {
  return value instanceof Entity || isJsonObject(value)
}
