import { type GraphQLSchema, isAbstractType, isObjectType } from 'graphql'
import { type DataObject, isObject, own } from './data-object.ts'
import type { PathStep } from './deferred.ts'

/** One object that a part is about. */
export interface PartObject {
  readonly object: DataObject
  readonly path: readonly (string | number)[]
}

/** The objects at a path, but for those that the client was told are null (`told`, in its own keys). */
export function partObjectsAt(
  path: readonly PathStep[],
  roots: { readonly data: DataObject; readonly told: unknown },
  schema: GraphQLSchema,
): PartObject[] {
  const found: PartObject[] = []
  const walk = (value: unknown, told: unknown, way: readonly (string | number)[], at: number): void => {
    if (Array.isArray(value)) {
      if (told === null) return
      for (const [i, item] of value.entries())
        walk(item, Array.isArray(told) ? told[i] : undefined, [...way, i], at)
      return
    }
    if (!isObject(value) || told === null) return
    const step = path[at]
    if (step === undefined) found.push({ object: value, path: way })
    else if ('key' in step)
      walk(
        own(value, step.key),
        isObject(told) ? own(told, step.clientKey) : undefined,
        [...way, step.clientKey],
        at + 1,
      )
    else if (isOf(value, step.type, schema)) walk(value, told, way, at + 1)
  }
  walk(roots.data, roots.told, [], 0)
  return found
}

function isOf(object: DataObject, condition: string, schema: GraphQLSchema): boolean {
  const name = own(object, '__typename')
  // Where nothing depends on it, it was not asked for.
  if (typeof name !== 'string' || name === condition) return true
  const type = schema.getType(name)
  const other = schema.getType(condition)
  return isObjectType(type) && isAbstractType(other) && schema.isSubType(other, type)
}
