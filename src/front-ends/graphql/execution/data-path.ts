import type { ResponsePath } from '@apollo/query-planner'
import { type DataObject, own } from './data-object.ts'

/** A compiled path of a Flatten node. */
export type DataPath = readonly Step[]

/** Into a field or (`@`) each item of a list; where there are types, on to objects of these only. */
interface Step {
  readonly key: string
  readonly types: readonly string[] | undefined
}

/** Where one object of the data is: from the root, the object or list at each step, and the key or index that leads on. */
export interface Trail {
  readonly containers: readonly object[]
  readonly path: readonly (string | number)[]
}

/** Compiles `['users', '@', 'pet|[Cat,Dog]']`. */
export function compilePath(path: ResponsePath): DataPath {
  return path.map((part) => {
    const [, key = '', types] = /^([^|]*)(?:\|\[(.*)\])?$/.exec(String(part)) ?? []
    return { key, types: types === undefined ? undefined : types.split(',') }
  })
}

/** The part of a path before its first list, for errors that are told once for all items. */
export function beforeLists(path: DataPath): string[] {
  const end = path.findIndex(({ key }) => key === '@')
  return path
    .slice(0, end === -1 ? path.length : end)
    .map(({ key }) => key)
    .filter((key) => key !== '')
}

/** The objects at a path. */
export function objectsAt(data: DataObject, path: DataPath): DataObject[] {
  const found: DataObject[] = []
  collect(data, { path, found }, 0)
  return found
}

/** The objects at a path and where each of them is. */
export function trailsAt(data: DataObject, path: DataPath): Map<DataObject, Trail> {
  const trails = new Map<DataObject, Trail>()
  collect(data, { path, found: [], way: { containers: [], path: [], trails } }, 0)
  return trails
}

interface Collecting {
  readonly path: DataPath
  readonly found: DataObject[]
  readonly way?: {
    readonly containers: object[]
    readonly path: (string | number)[]
    readonly trails: Map<DataObject, Trail>
  }
}

function collect(value: unknown, to: Collecting, index: number): void {
  if (typeof value !== 'object' || value === null) return
  const step = to.path[index]
  if (step === undefined) {
    if (Array.isArray(value)) return
    to.found.push(value as DataObject)
    const { way } = to
    way?.trails.set(value as DataObject, { containers: [...way.containers], path: [...way.path] })
  } else if (step.key === '@') {
    if (!Array.isArray(value)) return
    for (let i = 0; i < value.length; i++) enter(value[i], to, { index, container: value, key: i })
  } else if (step.key === '') {
    if (isOf(value, step)) collect(value, to, index + 1)
  } else if (!Array.isArray(value)) {
    const { key } = step
    const next = own(value as DataObject, key)
    if (to.way === undefined && step.types === undefined) collect(next, to, index + 1)
    else enter(next, to, { index, container: value, key })
  }
}

function enter(
  value: unknown,
  to: Collecting,
  { index, container, key }: { index: number; container: object; key: string | number },
): void {
  const step = to.path[index]
  if (step?.types !== undefined && !isOf(value, step)) return
  to.way?.containers.push(container)
  to.way?.path.push(key)
  collect(value, to, index + 1)
  to.way?.containers.pop()
  to.way?.path.pop()
}

/** Lists pass: what they hold is looked at when it is reached. */
function isOf(value: unknown, { types }: Step): boolean {
  if (types === undefined || typeof value !== 'object' || value === null || Array.isArray(value)) return true
  return types.includes(String(own(value as DataObject, '__typename')))
}
