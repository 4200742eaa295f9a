import {
  type GraphQLNamedType,
  type GraphQLType,
  getNamedType,
  getNullableType,
  isEnumType,
  isListType,
  isScalarType,
} from 'graphql'
import type { FieldShape } from '../../../../core/message-shape.ts'

/** Why what is in a field of a message is no value of a type, or the other way round; undefined when it is, or nobody can say. */
export function misfit(
  type: GraphQLType,
  field: FieldShape,
  direction: 'answer' | 'request',
): string | undefined {
  const isList = isListType(getNullableType(type))
  const named = getNamedType(type)
  const isOpen = isScalarType(named) && !(named.name in fitting)
  if (isOpen && !isList) return undefined
  if (field.kind === 'any')
    return isScalarType(named) || isEnumType(named)
      ? `${field.type} has JSON of many kinds: it needs a scalar of your own`
      : undefined
  if (isList !== field.isList)
    return `it is ${field.type}, and ${String(type)} is ${isList ? 'a list' : 'no list'}`
  return fits(named, field, direction) ? undefined : `${field.type} is no ${named.name}`
}

function fits(
  type: GraphQLNamedType,
  { kind, values }: FieldShape,
  direction: 'answer' | 'request',
): boolean {
  if (isEnumType(type)) {
    const known = type.getValues().every(({ value }) => values.includes(String(value)))
    return kind === 'text' || (kind === 'enum' && known)
  }
  if (!isScalarType(type)) return kind === 'message'
  const kinds = fitting[type.name]
  if (kinds === undefined) return true
  // A whole number can be sent where a fraction is wanted, and not the other way round.
  if (direction === 'request' && kind === 'number') return type.name === 'Int' || type.name === 'Float'
  if (direction === 'request' && type.name === 'Float') return false
  return kinds.has(kind)
}

/** What the scalars of GraphQL can say, by ProtoJSON: numbers of 64 bits are texts there. Int takes what has 32 bits when it comes. */
const fitting: Readonly<Record<string, ReadonlySet<FieldShape['kind']>>> = {
  ID: new Set(['text', 'bytes', 'integer', 'long']),
  String: new Set(['text', 'bytes', 'long', 'time', 'enum']),
  Int: new Set(['integer', 'long']),
  Float: new Set(['integer', 'long', 'number']),
  Boolean: new Set(['boolean']),
}
