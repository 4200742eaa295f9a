import { type GraphQLOutputType, isListType, isNonNullType } from 'graphql'
import { own, put } from '../execution/data-object.ts'
import type { Variables } from '../inclusion.ts'
import type { FilteredOperation, Gap, Gaps } from './filter-operation.ts'

/** A field that is null in an answer because it is refused. */
export interface Refused {
  readonly path: readonly (string | number)[]
  readonly field: string
  readonly condition: number
}

type Data = Record<string, unknown>

/** What an answer is once its gaps are filled. */
export interface Filled {
  readonly data: Data | null
  /** In order, at most {@link maxRefused}, and at least one for each gap that there is. */
  readonly refused: readonly Refused[]
}

/** More places than anybody reads: a refused field of a list would be named for each of its elements. */
export const maxRefused = 100

/**
 * Puts null where a refused field would be, as if it had failed (GraphQL specification section 6.4.4): null takes the nearest place above
 * that may be null. `data` is changed.
 */
export function fillGaps(data: Data, operation: FilteredOperation, variables: Variables): Filled {
  const filler = new Filler(operation.typeKey, variables)
  const bubbles = filler.object(data, new Level([operation.gaps]), [])
  return { data: bubbles ? null : data, refused: filler.refused }
}

/** The refused fields that a request really asks for, whatever the types of the objects turn out to be. */
export function askedGaps(gaps: Gaps, variables: Variables): Refused[] {
  const found: Refused[] = []
  const visit = (below: Gaps, path: readonly string[]): void => {
    for (const gap of below.gaps) {
      if (found.length >= maxRefused || !variables.includes(gap.inclusion)) continue
      if (gap.kind === 'refused')
        found.push({ path: [...path, gap.key], field: gap.field, condition: gap.condition })
      else visit(gap.below, gap.kind === 'within' ? [...path, gap.key] : path)
    }
  }
  visit(gaps, [])
  return found
}

type RefusedGap = Extract<Gap, { kind: 'refused' }>

/** What is to be done under one response key. */
interface Entry {
  readonly key: string
  readonly type: GraphQLOutputType
  /** Undefined where there are only gaps below. */
  refused: RefusedGap | undefined
  /** What is below: the sets of all fields of this key merged (GraphQL specification section 6.3.2). */
  readonly below: Gaps[]
  level: Level | undefined
}

/** The objects of one place of the answer: what there is to do for them is found out once for each type. */
class Level {
  readonly sets: readonly Gaps[]
  readonly byType = new Map<string | undefined, readonly Entry[]>()
  #keys: readonly string[] | undefined

  constructor(sets: readonly Gaps[]) {
    this.sets = sets
  }

  /** The response keys in the order of the operation. */
  get keys(): readonly string[] {
    this.#keys ??= [...new Set(this.sets.flatMap(({ keys }) => keys))]
    return this.#keys
  }
}

/** Null at a place that may not be null. */
const bubble = Symbol('bubble')

class Filler {
  readonly refused: Refused[] = []
  readonly #typeKey: string
  readonly #variables: Variables
  readonly #named = new Set<Gap>()

  constructor(typeKey: string, variables: Variables) {
    this.#typeKey = typeKey
    this.#variables = variables
  }

  /** Whether the object itself must be null. */
  object(data: Data, level: Level, path: readonly (string | number)[]): boolean {
    const type = data[this.#typeKey]
    delete data[this.#typeKey]
    let added = false
    for (const entry of this.#entries(level, typeof type === 'string' ? type : undefined)) {
      const { key, refused } = entry
      if (refused !== undefined && !Object.hasOwn(data, key)) {
        this.#name(refused, [...path, key])
        if (isNonNullType(refused.type)) return true
        put(data, key, null)
        added = true
      } else if (entry.below.length > 0) {
        entry.level ??= new Level(entry.below)
        const value = this.#value(own(data, key), entry.type, { level: entry.level, path: [...path, key] })
        if (value === bubble) return true
        put(data, key, value)
      }
    }
    if (added) inOrder(data, level.keys)
    return false
  }

  #value(value: unknown, type: GraphQLOutputType, at: Place): unknown {
    if (value === null || value === undefined) return value
    if (isNonNullType(type)) {
      const inner = this.#value(value, type.ofType, at)
      return inner === null ? bubble : inner
    }
    if (isListType(type)) {
      const list = value as unknown[]
      for (let i = 0; i < list.length; i++) {
        const item = this.#value(list[i], type.ofType, { level: at.level, path: [...at.path, i] })
        if (item === bubble) return null
        list[i] = item
      }
      return list
    }
    return this.object(value as Data, at.level, at.path) ? null : value
  }

  #entries(level: Level, type: string | undefined): readonly Entry[] {
    const known = level.byType.get(type)
    if (known !== undefined) return known
    const found = new Map<string, Entry>()
    for (const set of level.sets) this.#collect(set, type, found)
    const entries = [...found.values()]
    level.byType.set(type, entries)
    return entries
  }

  #collect({ gaps }: Gaps, type: string | undefined, found: Map<string, Entry>): void {
    for (const gap of gaps) {
      if (!this.#variables.includes(gap.inclusion)) continue
      if (gap.kind === 'fragment') {
        if (gap.types === undefined || (type !== undefined && gap.types.has(type)))
          this.#collect(gap.below, type, found)
        continue
      }
      let entry = found.get(gap.key)
      if (entry === undefined) {
        entry = { key: gap.key, type: gap.type, refused: undefined, below: [], level: undefined }
        found.set(gap.key, entry)
      }
      if (gap.kind === 'refused') entry.refused ??= gap
      else entry.below.push(gap.below)
    }
  }

  #name(gap: RefusedGap, path: readonly (string | number)[]): void {
    if (this.refused.length >= maxRefused && this.#named.has(gap)) return
    this.#named.add(gap)
    this.refused.push({ path, field: gap.field, condition: gap.condition })
  }
}

interface Place {
  readonly level: Level
  readonly path: readonly (string | number)[]
}

/** Puts the members in the order of the operation (GraphQL specification section 7.2.2). */
function inOrder(data: Data, keys: readonly string[]): void {
  for (const key of keys) {
    if (!Object.hasOwn(data, key)) continue
    const value = data[key]
    delete data[key]
    put(data, key, value)
  }
}
