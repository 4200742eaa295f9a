import {
  type GraphQLInputType,
  getNullableType,
  isInputObjectType,
  isListType,
  Kind,
  type ValueNode,
} from 'graphql'
import { isRecord } from '../../../core/is-record.ts'
import type { Variables } from '../inclusion.ts'
import type { CostWeights } from './cost-weights.ts'

/** What the value of an argument costs: 1 for each input object, 0 for scalars and enums, and what `@cost` says. */
export function inputCost(value: unknown, type: GraphQLInputType, weights: CostWeights): number {
  if (value === undefined || value === null) return 0
  const inner: GraphQLInputType = getNullableType(type)
  if (isListType(inner)) {
    const items = Array.isArray(value) ? value : [value]
    let cost = 0
    for (const item of items) cost += inputCost(item, inner.ofType, weights)
    return cost
  }
  const own = weights.weights.get(inner.name)
  if (!isInputObjectType(inner) || !isRecord(value)) return own ?? 0
  let cost = own ?? 1
  const fields = inner.getFields()
  for (const [name, item] of Object.entries(value)) {
    const field = fields[name]
    if (field === undefined) continue
    cost += weights.weights.get(`${inner.name}.${name}`) ?? inputCost(item, field.type, weights)
  }
  return cost
}

/** A value of a document with its variables put in; undefined where a variable has none. */
export function readValue(node: ValueNode, variables: Variables): unknown {
  switch (node.kind) {
    case Kind.VARIABLE:
      return variables.get(node.name.value)
    case Kind.NULL:
      return null
    case Kind.LIST:
      return node.values.map((item) => readValue(item, variables))
    case Kind.OBJECT:
      return Object.fromEntries(
        node.fields.map(({ name, value }) => [name.value, readValue(value, variables)]),
      )
    case Kind.BOOLEAN:
      return node.value
    case Kind.INT:
    case Kind.FLOAT:
      return Number(node.value)
    default:
      return node.value
  }
}
