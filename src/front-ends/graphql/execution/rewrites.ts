import type { FetchDataRewrite } from '@apollo/query-planner'
import { type DataObject, isObject, own, put } from './data-object.ts'
import type { TypeConditions } from './type-conditions.ts'

/** Changes a representation before it is sent, or an answer when it is there, as the plan says. */
export type Rewrite = (object: DataObject) => void

/** Undefined: there is nothing to change. */
export function compileRewrites(
  rewrites: readonly FetchDataRewrite[] | undefined,
  types: TypeConditions,
): Rewrite | undefined {
  if (rewrites === undefined || rewrites.length === 0) return undefined
  const all = rewrites.map((rewrite) => compileRewrite(rewrite, types))
  return (object) => {
    for (const rewrite of all) rewrite(object)
  }
}

function compileRewrite(rewrite: FetchDataRewrite, types: TypeConditions): Rewrite {
  const way = rewrite.path.slice(0, -1)
  const key = rewrite.path.at(-1) ?? ''
  const change: Rewrite =
    rewrite.kind === 'ValueSetter'
      ? (object) => put(object, key, rewrite.setValueTo)
      : (object) => {
          const value = own(object, key)
          if (value === undefined) return
          delete object[key]
          put(object, rewrite.renameKeyTo, value)
        }
  return (object) => changeAt(object, { way, change, types }, 0)
}

interface Change {
  readonly way: readonly string[]
  readonly change: Rewrite
  readonly types: TypeConditions
}

function changeAt(value: unknown, by: Change, step: number, lists = 0): void {
  if (Array.isArray(value)) {
    if (lists < maxLists) for (const item of value) changeAt(item, by, step, lists + 1)
    return
  }
  if (!isObject(value)) return
  const part = by.way[step]
  if (part === undefined) by.change(value)
  else if (!part.startsWith(fragment)) changeAt(own(value, part), by, step + 1)
  else {
    const typename = own(value, '__typename')
    // An object that does not say what it is may be of the type: the fetch asked for it under this condition.
    const meets = typeof typename !== 'string' || by.types.meets(typename, part.slice(fragment.length))
    if (meets) changeAt(value, by, step + 1)
  }
}

const fragment = '... on '

/** What is nested deeper is no value of any schema. */
const maxLists = 32
