import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf'
import { FeatureSet_FieldPresence as Presence } from '@bufbuild/protobuf/wkt'
import type { EnumTable } from './enum-table.ts'
import type { MessageType } from './message-type.ts'
import { enumCode, type ScalarCode, scalarCode } from './scalar-code.ts'

/** What generated functions refer to by number. No name of a descriptor stands in their source. */
export interface Links {
  readonly messages: MessageType[]
  readonly enums: EnumTable[]
  /** JSON as bytes: member names with their colon, defaults. */
  readonly json: Uint8Array[]
  message(field: DescField): number
  enum(field: DescField): number
  /** The number of a new piece of JSON. */
  piece(json: string): number
}

/** One field as the generators see it. */
export interface FieldPlan {
  readonly desc: DescField
  /** Its place among `desc.fields`. */
  readonly index: number
  /** What it holds, or what its items or entries hold: a scalar or an enum, else a message. */
  readonly code: ScalarCode | undefined
  /** Number of the enum or the message among the links, -1 for scalars. */
  readonly link: number
  /** Whether a JSON null is a value of it: google.protobuf.Value and NullValue. */
  readonly takesNull: boolean
  readonly implicit: boolean
  readonly required: boolean
  /** Wire type of one value. */
  readonly wireType: number
  /** Tag of one value that is not packed. */
  readonly tag: number
}

/** All fields of a message in the order of their numbers. */
export function planFields(desc: DescMessage, links: Links): FieldPlan[] {
  const plans = desc.fields.map((field, index) => planField(field, index, links))
  return plans.sort((a, b) => a.desc.number - b.desc.number)
}

function planField(field: DescField, index: number, links: Links): FieldPlan {
  const lenient = !field.utf8Validation
  let code: ScalarCode | undefined
  let link = -1
  if (field.scalar !== undefined) code = scalarCode(field.scalar, { lenient })
  else if (field.enum !== undefined) {
    link = links.enum(field)
    code = enumCode(link, links.enums[link]?.first ?? 0)
  } else link = links.message(field)
  const wireType = code?.wireType ?? (isGroup(field) ? 3 : 2)
  return {
    desc: field,
    index,
    code,
    link,
    takesNull:
      field.message?.typeName === 'google.protobuf.Value' ||
      field.enum?.typeName === 'google.protobuf.NullValue',
    implicit: field.presence === Presence.IMPLICIT,
    required: field.presence === Presence.LEGACY_REQUIRED,
    wireType,
    tag: tagOf(field.number, field.fieldKind === 'map' ? 2 : wireType),
  }
}

export function tagOf(number: number, wireType: number): number {
  return ((number << 3) | wireType) >>> 0
}

/** Whether items stand one behind another in one value; a reader has to take both forms. */
export function isPackable({ desc, code }: FieldPlan): boolean {
  return desc.fieldKind === 'list' && code !== undefined && code.wireType !== 2
}

export function isGroup(field: DescField): boolean {
  return (field.fieldKind === 'message' || field.fieldKind === 'list') && field.message !== undefined
    ? field.delimitedEncoding
    : false
}

/** The code for the keys of a map. */
export function keyCode(
  field: DescField,
): ScalarCode & { readonly isText: boolean; readonly isBool: boolean } {
  const type = field.fieldKind === 'map' ? field.mapKey : ScalarType.STRING
  const code = scalarCode(type, { lenient: !field.utf8Validation })
  return { ...code, isText: type === ScalarType.STRING, isBool: type === ScalarType.BOOL }
}

/** Source of the set of bits that says which fields were seen: one number for 31 of them. */
export function seenBits(count: number): {
  readonly declare: string
  has(i: number): string
  add(i: number): string
} {
  const words = Math.ceil(count / 31)
  return {
    declare: words === 0 ? '' : `let ${Array.from({ length: words }, (_, i) => `s${i} = 0`).join(', ')}\n`,
    has: (i) => `(s${Math.floor(i / 31)} & ${2 ** (i % 31)}) !== 0`,
    add: (i) => `s${Math.floor(i / 31)} |= ${2 ** (i % 31)}`,
  }
}
