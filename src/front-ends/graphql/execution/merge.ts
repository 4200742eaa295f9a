import { failed, unfetched } from './absent.ts'
import { type DataObject, isObject, own, put } from './data-object.ts'
import type { Shape } from './shape.ts'
import type { TypeConditions } from './type-conditions.ts'

/**
 * Brings what a fetch answered into an object of the data; the answer becomes part of the data. Where two fetches brought an object they
 * become one; where one of them brought null, null it stays, as it would be if one server had resolved the field.
 */
export function merge(
  target: DataObject,
  source: DataObject,
  { shape, types }: { readonly shape: Shape; readonly types: TypeConditions },
): void {
  mergeObject(target, source, shape, types)
}

function mergeObject(target: DataObject, source: DataObject, shape: Shape, types: TypeConditions): void {
  for (const { key, children } of shape) {
    const value = own(source, key)
    if (value === undefined) continue
    const present = own(target, key)
    if (present === undefined || present === unfetched) put(target, key, value)
    else if (key === '__typename') {
      // A subgraph with an `@interfaceObject` knows the interface only.
      if (typeof value === 'string' && types.isConcrete(value)) target.__typename = value
    } else put(target, key, together(present, value, children, types))
  }
}

function together(
  present: unknown,
  value: unknown,
  children: Shape | undefined,
  types: TypeConditions,
  lists = 0,
): unknown {
  if (present === null || present === failed) return present
  if (value === null || value === failed || children === undefined) return value
  if (Array.isArray(present) && Array.isArray(value)) {
    const length = lists < maxLists ? Math.min(present.length, value.length) : 0
    for (let i = 0; i < length; i++) present[i] = together(present[i], value[i], children, types, lists + 1)
  } else if (isObject(present) && isObject(value)) mergeObject(present, value, children, types)
  return present
}

/** A copy for another place of the data: nothing in it is in two places, so that what is merged into one never shows in the other. */
export function copyOf(source: DataObject, shape: Shape): DataObject {
  const copy: DataObject = {}
  for (const { key, children } of shape) {
    const value = own(source, key)
    if (value !== undefined) put(copy, key, children === undefined ? value : copyOfValue(value, children))
  }
  return copy
}

function copyOfValue(value: unknown, shape: Shape, lists = 0): unknown {
  if (typeof value !== 'object' || value === null || lists > maxLists) return value
  if (Array.isArray(value)) return value.map((item) => copyOfValue(item, shape, lists + 1))
  return copyOf(value as DataObject, shape)
}

/** Notes on an object what a fetch that failed would have brought. */
export function markUnfetched(target: DataObject, shape: Shape): void {
  for (const { key, children } of shape) {
    const present = own(target, key)
    if (present === undefined) put(target, key, unfetched)
    else if (children !== undefined) markWithin(present, children)
  }
}

function markWithin(value: unknown, shape: Shape, lists = 0): void {
  if (typeof value !== 'object' || value === null || lists > maxLists) return
  if (Array.isArray(value)) for (const item of value) markWithin(item, shape, lists + 1)
  else markUnfetched(value as DataObject, shape)
}

/** Notes that the null on a path into an answer is explained by an error that is reported. */
export function markFailed(answer: DataObject, path: readonly (string | number)[]): void {
  let at: DataObject | unknown[] = answer
  for (const part of path) {
    const value: unknown = Array.isArray(at) ? at[Number(part)] : own(at, String(part))
    if (typeof value === 'object' && value !== null) {
      at = value as DataObject | unknown[]
      continue
    }
    if (value !== undefined && value !== null) return
    if (!Array.isArray(at)) put(at, String(part), failed)
    else if (value === null) at[Number(part)] = failed
    return
  }
}

/** Lists of lists of lists: what is nested deeper is no value of any schema, and is not looked into. Objects are as deep as the operation. */
const maxLists = 32
