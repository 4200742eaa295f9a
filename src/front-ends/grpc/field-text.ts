import {
  create,
  type DescEnum,
  type DescField,
  type DescMessage,
  fromJson,
  ScalarType,
} from '@bufbuild/protobuf'
import { reflect } from '@bufbuild/protobuf/reflect'
import { base64Decode } from '@bufbuild/protobuf/wire'
import { FieldMaskSchema } from '@bufbuild/protobuf/wkt'

/** Reads one value of a field (of a repeated field: one item) from text. Throws an Error that says what is wrong with it. */
export type TextReader = (text: string) => unknown

/**
 * How a value of this field is read from a path or a query, in the form that reflection takes; undefined when it cannot be
 * written there at all: maps, and messages other than Timestamp, Duration, FieldMask and the wrappers.
 */
export function textReader(field: DescField): TextReader | undefined {
  const kind = field.fieldKind === 'list' ? field.listKind : field.fieldKind
  if (kind === 'map') return undefined
  if (field.enum !== undefined) return enumReader(field.enum)
  if (field.message !== undefined) return messageReader(field.message)
  return field.scalar === undefined ? undefined : scalarReader(field.scalar)
}

function scalarReader(type: ScalarType): TextReader {
  switch (type) {
    case ScalarType.STRING:
      return (text) => text
    case ScalarType.BOOL:
      return readBool
    case ScalarType.BYTES:
      return (text) => base64Decode(text)
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return readNumber
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return (text) => BigInt(integerText(text))
    default:
      return (text) => Number(integerText(text))
  }
}

function enumReader(desc: DescEnum): TextReader {
  const numbers = new Map(
    desc.values.flatMap((value) => [
      [value.jsonName, value.number] as const,
      [value.name, value.number] as const,
    ]),
  )
  return (text) => {
    const named = numbers.get(text)
    if (named !== undefined) return named
    if (!/^-?\d{1,10}$/.test(text)) throw new Error(`is no value of ${desc.typeName}`)
    return Number(text)
  }
}

function messageReader(desc: DescMessage): TextReader | undefined {
  if (desc.typeName === 'google.protobuf.FieldMask') return (text) => reflect(FieldMaskSchema, readMask(text))
  if (desc.typeName === 'google.protobuf.Timestamp' || desc.typeName === 'google.protobuf.Duration') {
    return (text) => reflect(desc, fromJson(desc, text))
  }
  const [value] = desc.fields
  if (value?.scalar === undefined || !/^google\.protobuf\.\w+Value$/.test(desc.typeName)) return undefined
  const read = scalarReader(value.scalar)
  return (text) => {
    const wrapper = reflect(desc, create(desc))
    wrapper.set(value, read(text))
    return wrapper
  }
}

/** Paths by commas, in camelCase as ProtoJSON writes them, or by proto names. */
function readMask(text: string): ReturnType<typeof create<typeof FieldMaskSchema>> {
  if (text.includes('_')) return create(FieldMaskSchema, { paths: text.split(',') })
  return fromJson(FieldMaskSchema, text)
}

function readBool(text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new Error('must be true or false')
  return text === 'true'
}

function readNumber(text: string): number {
  if (text === 'NaN') return Number.NaN
  if (text === 'Infinity' || text === '-Infinity') return Number(text)
  const number = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isFinite(number)) throw new Error('must be a number')
  return number
}

function integerText(text: string): string {
  if (!/^-?\d{1,20}$/.test(text)) throw new Error('must be an integer')
  return text
}
