import type { DescField, DescMessage } from '@bufbuild/protobuf'
import type { ReflectMessage } from '@bufbuild/protobuf/reflect'

/** A field of a message, or of a message inside it: `book.name`. All but the last are singular messages. */
export interface FieldPath {
  /** By proto names, whatever names it was looked up by. */
  readonly name: string
  readonly parents: readonly DescField[]
  readonly leaf: DescField
}

/** More names than this in one path are refused: a recursive message could otherwise be nested at will. */
export const maxFieldDepth = 100

/** The field that a dotted name means, by proto names and JSON names in any mix; undefined when there is none. */
export function findField(message: DescMessage, dotted: string): FieldPath | undefined {
  const names = dotted.split('.')
  if (names.length > maxFieldDepth) return undefined
  const fields: DescField[] = []
  let scope: DescMessage | undefined = message
  for (const name of names) {
    const field: DescField | undefined = scope === undefined ? undefined : fieldsByName(scope).get(name)
    if (field === undefined) return undefined
    fields.push(field)
    scope = field.fieldKind === 'message' ? field.message : undefined
  }
  const leaf = fields.pop()
  if (leaf === undefined) return undefined
  return { name: [...fields, leaf].map((field) => field.name).join('.'), parents: fields, leaf }
}

/** The message that directly holds the last field of a path; what is missing on the way is made. */
export function reachParent(message: ReflectMessage, path: FieldPath): ReflectMessage {
  let parent = message
  for (const field of path.parents) {
    const child = parent.get(field) as ReflectMessage
    if (!parent.isSet(field)) parent.set(field, child)
    parent = child
  }
  return parent
}

/** The fields of a message by each of their names. Remembered, because every query parameter asks. */
export function fieldsByName(message: DescMessage): ReadonlyMap<string, DescField> {
  const known = tables.get(message)
  if (known !== undefined) return known
  const table = new Map<string, DescField>()
  for (const field of message.fields) table.set(field.jsonName, field)
  for (const field of message.fields) table.set(field.name, field)
  tables.set(message, table)
  return table
}

const tables = new WeakMap<DescMessage, ReadonlyMap<string, DescField>>()
