import type { FetchNode } from '@apollo/query-planner'
import { type DataObject, isObject, own } from './data-object.ts'
import type { Trail } from './data-path.ts'
import type { TypeConditions } from './type-conditions.ts'

/** Reads the variables that a fetch takes from objects around an entity (`@fromContext`), as JSON: `"contextualArgument_1_0":"EUR"`. */
export type ReadContext = (trail: Trail) => string[]

/** Undefined: the fetch takes none. */
export function compileContext(
  rewrites: FetchNode['contextRewrites'],
  types: TypeConditions,
): ReadContext | undefined {
  if (rewrites === undefined || rewrites.length === 0) return undefined
  const names = [...new Set(rewrites.map(({ renameKeyTo }) => renameKeyTo))]
  return (trail) =>
    names.flatMap((name) => {
      for (const { path, renameKeyTo } of rewrites) {
        if (renameKeyTo !== name) continue
        const value = valueAt(trail, path, types)
        if (value !== undefined && typeof value !== 'symbol') return `"${name}":${JSON.stringify(value)}`
      }
      return []
    })
}

/** `..` goes up to the object that has the field which led here; the rest of the path goes down from it. */
function valueAt({ containers, path: keys }: Trail, path: readonly string[], types: TypeConditions): unknown {
  let at = keys.length
  let value: unknown
  for (const part of path) {
    if (part === '..') {
      do at--
      while (at >= 0 && typeof keys[at] === 'number')
      value = containers[at]
    } else if (!isObject(value)) return undefined
    else if (!part.startsWith('... on ')) value = own(value, part)
    else if (!meets(value, part.slice(7), types)) return undefined
  }
  return value
}

function meets(object: DataObject, condition: string, types: TypeConditions): boolean {
  const typename = own(object, '__typename')
  return typeof typename !== 'string' || types.meets(typename, condition)
}
