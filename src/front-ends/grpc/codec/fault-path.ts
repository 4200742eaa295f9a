import { type DescField, type DescMessage, fromJson, type JsonValue, type Registry } from '@bufbuild/protobuf'
import { fieldsByName } from '../field-path.ts'

/** What {@link faultPath} reads by. */
export interface FaultOptions {
  readonly registry: Registry
  readonly ignoreUnknownFields: boolean
}

/**
 * Where in a JSON value @bufbuild/protobuf finds a fault, which it does not say: each member is tried alone, and the first that fails is
 * looked into. By the names of the JSON: `book.tags[2]`, `book.attributes["a"]`; empty when nothing fails alone (a required field).
 */
export function faultPath(message: DescMessage, value: JsonValue, options: FaultOptions): string {
  if (!isObject(value) || ownJson.test(message.typeName)) return ''
  for (const [name, member] of Object.entries(value)) {
    if (fits(message, { [name]: member }, options)) continue
    const field = fieldsByName(message).get(name)
    return field === undefined ? name : `${name}${withinField(field, member, { message, name, options })}`
  }
  return ''
}

/** Those with a JSON form of their own. */
const ownJson = /^google\.protobuf\.(?:Any|Struct|Timestamp|Duration|FieldMask|\w*Value)$/

interface Place {
  readonly message: DescMessage
  readonly name: string
  readonly options: FaultOptions
}

function withinField(field: DescField, value: JsonValue, { message, name, options }: Place): string {
  const deeper = (one: JsonValue): string => {
    const path = field.message === undefined ? '' : faultPath(field.message, one, options)
    return path === '' || path.startsWith('[') ? path : `.${path}`
  }
  if (field.fieldKind === 'list' && Array.isArray(value)) {
    const index = value.findIndex((item) => !fits(message, { [name]: [item] }, options))
    return index === -1 ? '' : `[${index}]${deeper(value[index] as JsonValue)}`
  }
  if (field.fieldKind === 'map' && isObject(value)) {
    const found = Object.entries(value).find(
      ([key, one]) => !fits(message, { [name]: { [key]: one } }, options),
    )
    return found === undefined ? '' : `[${JSON.stringify(found[0])}]${deeper(found[1])}`
  }
  return field.fieldKind === 'message' ? deeper(value) : ''
}

function fits(message: DescMessage, value: JsonValue, options: FaultOptions): boolean {
  try {
    fromJson(message, value, options)
    return true
  } catch {
    return false
  }
}

function isObject(value: JsonValue): value is { [name: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
