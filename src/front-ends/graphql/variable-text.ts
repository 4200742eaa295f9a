import {
  coerceInputValue,
  type GraphQLInputType,
  isEnumType,
  isListType,
  isNonNullType,
  isScalarType,
} from 'graphql'
import { messageOf } from '../../core/message-of.ts'

/** What a text is as a value of a type, or why it is none. */
export type ReadText = { readonly value: unknown } | { readonly problem: string }

/** Reads a text as a value of the type: numbers, true and false, names of enums; a list has it as its one item. */
export function readText(text: string, type: GraphQLInputType): ReadText {
  const inner = isNonNullType(type) ? (type.ofType as GraphQLInputType) : type
  if (isListType(inner)) {
    const item = readText(text, inner.ofType)
    return 'problem' in item ? item : { value: [item.value] }
  }
  if (isScalarType(inner)) return readScalar(text, inner.name)
  if (isEnumType(inner) && inner.getValue(text) === undefined) return { problem: `is not one of ${inner}` }
  return { value: text }
}

/** Why a value that is written in the configuration is none of the type; undefined when it is one. */
export function literalProblem(value: unknown, type: GraphQLInputType): string | undefined {
  try {
    coerceInputValue(value, type, (_path, _value, error) => {
      throw error
    })
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

function readScalar(text: string, type: string): ReadText {
  switch (type) {
    case 'Int': {
      const value = /^[+-]?\d{1,10}$/.test(text) ? Number(text) : Number.NaN
      // GraphQL specification section 3.5.1: 32 bits.
      return value === (value | 0) ? { value } : { problem: 'is no whole number of 32 bits' }
    }
    case 'Float':
      return /^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,3})?$/.test(text) && Number.isFinite(Number(text))
        ? { value: Number(text) }
        : { problem: 'is no number' }
    case 'Boolean':
      return text === 'true' || text === 'false'
        ? { value: text === 'true' }
        : { problem: 'is neither true nor false' }
    default:
      return { value: text }
  }
}
