import {
  create,
  createRegistry,
  type DescEnum,
  type DescField,
  type DescMessage,
  fromBinary,
  fromJson,
  ScalarType,
} from '@bufbuild/protobuf'
import { reflect } from '@bufbuild/protobuf/reflect'
import { base64Decode } from '@bufbuild/protobuf/wire'
import { FieldMaskSchema } from '@bufbuild/protobuf/wkt'
import { GatewayError } from '../../core/error.ts'
import { compileCodec } from './codec/codec.ts'
import { maxJsonDepth } from './codec/json-reader.ts'

/** Reads one value of a field (of a repeated field: one item) from text. Throws an Error that says what is wrong with it. */
export type TextReader = (text: string) => unknown

/**
 * How a value of this field is read from a path or a query, in the form that reflection takes; undefined when it cannot be
 * written there at all: maps, and messages other than Timestamp, Duration, FieldMask, the wrappers and, as JSON text (so does
 * grpc-gateway), Struct, Value and ListValue.
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
  if (asString.has(desc.typeName)) return jsonReader(desc, (text) => JSON.stringify(text))
  if (asJson.has(desc.typeName)) return jsonReader(desc, (text) => text)
  const [value] = desc.fields
  if (value?.scalar === undefined || !/^google\.protobuf\.\w+Value$/.test(desc.typeName)) return undefined
  const read = scalarReader(value.scalar)
  return (text) => {
    const wrapper = reflect(desc, create(desc))
    wrapper.set(value, read(text))
    return wrapper
  }
}

const asString = new Set(['google.protobuf.Timestamp', 'google.protobuf.Duration'])
const asJson = new Set(['google.protobuf.Struct', 'google.protobuf.Value', 'google.protobuf.ListValue'])

/** Reads a message from the JSON that `written` makes of a text, exactly as from a body. */
function jsonReader(desc: DescMessage, written: (text: string) => string): TextReader {
  const codec = compileCodec(desc, { ...plainJson, registry: createRegistry() })
  return (text) => {
    try {
      return reflect(
        desc,
        fromBinary(desc, codec.fromJson(written(text)), { recursionLimit: 3 * maxJsonDepth }),
      )
    } catch (cause) {
      const detail = cause instanceof GatewayError ? cause.violations[0]?.detail : undefined
      throw new Error(detail ?? `is no ${desc.typeName}`, { cause })
    }
  }
}

const plainJson = { emitDefaults: false, protoNames: false, enumsAsNumbers: false, ignoreUnknown: false }

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
