import { Kind, parse, type SelectionSetNode } from 'graphql'
import type { AppliedConditions, ProtectedType } from './applied-conditions.ts'
import type { Condition } from './condition.ts'

/** By type and field: the conditions that a caller must all meet, as ascending indexes. Fields that ask for nothing are not there. */
export type FieldConditions = ReadonlyMap<string, ReadonlyMap<string, readonly number[]>>

/**
 * What each field of a supergraph asks, whichever way an operation comes to it:
 *
 * - what is written on the field, on the type that has it, and on the type of its values;
 * - of a field of an interface, what it asks on each type that implements it: which one it will be is not known beforehand;
 * - of a field that subgraphs are told other fields to answer (`@requires`, `@fromContext`), what those ask;
 * - what was written on an interface by hand holds for the types that implement it. Composition refuses it since 2.9.4, where the
 *   interface asks what its types ask; supergraphs that are older may have it.
 */
export function fieldConditions(applied: AppliedConditions): FieldConditions {
  const reader = new Reader(applied)
  const found = new Map<string, ReadonlyMap<string, readonly number[]>>()
  for (const [name, type] of applied.types) {
    const fields = new Map<string, readonly number[]>()
    for (const field of type.fields.keys()) {
      const asked = reader.ask(name, field)
      if (asked.length > 0) fields.set(field, asked)
    }
    if (fields.size > 0) found.set(name, fields)
  }
  return found
}

/** The fields (`User.email`) of keys that ask for something: subgraphs that are joined by them tell them each other for every caller. */
export function protectedKeys({ types }: AppliedConditions): string[] {
  const found = new Set<string>()
  const visit = ({ selections }: SelectionSetNode, typeName: string): void => {
    for (const node of selections) {
      const field = node.kind === Kind.FIELD ? types.get(typeName)?.fields.get(node.name.value) : undefined
      if (node.kind !== Kind.FIELD || field === undefined) continue
      if (field.conditions.length > 0) found.add(`${typeName}.${node.name.value}`)
      if (node.selectionSet !== undefined) visit(node.selectionSet, field.type)
    }
  }
  for (const [name, { keys }] of types) for (const key of keys) visit(selectionsOf(key), name)
  return [...found]
}

class Reader {
  readonly #types: ReadonlyMap<string, ProtectedType>
  readonly #conditions: readonly Condition[]
  readonly #implementing = new Map<string, string[]>()

  constructor({ types, conditions }: AppliedConditions) {
    this.#types = types
    this.#conditions = conditions
    for (const [name, { kind, interfaces }] of types) {
      if (kind !== 'object') continue
      for (const one of interfaces) {
        const others = this.#implementing.get(one)
        if (others === undefined) this.#implementing.set(one, [name])
        else others.push(name)
      }
    }
  }

  ask(type: string, field: string): number[] {
    const found = new Set<number>()
    this.#collect(type, field, { found, seen: new Set() })
    return [...found].sort((a, b) => a - b)
  }

  #collect(typeName: string, fieldName: string, walk: Walk): void {
    const at = `${typeName}.${fieldName}`
    const type = this.#types.get(typeName)
    const field = type?.fields.get(fieldName)
    if (type === undefined || field === undefined || walk.seen.has(at)) return
    walk.seen.add(at)
    add(walk.found, type.conditions)
    add(walk.found, field.conditions)
    add(walk.found, this.#types.get(field.type)?.conditions)
    if (type.kind === 'interface')
      for (const name of this.#implementing.get(typeName) ?? []) this.#collect(name, fieldName, walk)
    else for (const name of type.interfaces) this.#addWrittenByHand(name, fieldName, walk)
    for (const selection of field.requires) this.#collectAll(selectionsOf(selection), typeName, walk)
    for (const { context, selection } of field.fromContext) {
      for (const [name, { contexts, conditions }] of this.#types) {
        if (!contexts.includes(context)) continue
        add(walk.found, conditions)
        this.#collectAll(selectionsOf(selection), name, walk)
      }
    }
  }

  #collectAll({ selections }: SelectionSetNode, typeName: string, walk: Walk): void {
    for (const node of selections) {
      if (node.kind === Kind.FIELD) {
        this.#collect(typeName, node.name.value, walk)
        const type = this.#types.get(typeName)?.fields.get(node.name.value)?.type
        if (node.selectionSet !== undefined && type !== undefined)
          this.#collectAll(node.selectionSet, type, walk)
      } else if (node.kind === Kind.INLINE_FRAGMENT) {
        this.#collectAll(node.selectionSet, node.typeCondition?.name.value ?? typeName, walk)
      }
    }
  }

  /** Of a type that implements the interface: what the interface asks although none of its types does. */
  #addWrittenByHand(interfaceName: string, fieldName: string, { found }: Walk): void {
    const type = this.#types.get(interfaceName)
    const field = type?.fields.get(fieldName)
    if (type === undefined || field === undefined) return
    const objects = (this.#implementing.get(interfaceName) ?? []).flatMap(
      (name) => this.#types.get(name) ?? [],
    )
    const ofTypes = new Set(objects.flatMap((one) => one.conditions))
    const ofFields = new Set(objects.flatMap((one) => one.fields.get(fieldName)?.conditions ?? []))
    add(
      found,
      type.conditions.filter((index) => !this.#follows(index, ofTypes)),
    )
    add(
      found,
      field.conditions.filter((index) => !this.#follows(index, ofFields)),
    )
  }

  /** Whether composition would write a condition on an interface whose types ask for `others`: it joins them. */
  #follows(index: number, others: ReadonlySet<number>): boolean {
    if (others.has(index)) return true
    const condition = this.#conditions[index]
    if (condition === undefined || condition.kind === 'authenticated') return false
    let joined: readonly (readonly string[])[] = [[]]
    for (const other of others) {
      const one = this.#conditions[other]
      if (one === undefined || one.kind === 'authenticated' || one.kind !== condition.kind) continue
      joined = both(joined, one.anyOf)
      if (joined.length > maxAlternatives) return false
    }
    return shown(joined) === shown(both(condition.anyOf, [[]]))
  }
}

interface Walk {
  readonly found: Set<number>
  readonly seen: Set<string>
}

const maxAlternatives = 1_000

function add(found: Set<number>, more: readonly number[] = []): void {
  for (const index of more) found.add(index)
}

/** Alternatives that meet one of each, without those that ask for more than another. */
function both(a: readonly (readonly string[])[], b: readonly (readonly string[])[]): (readonly string[])[] {
  const joined = a.flatMap((left) => b.map((right) => [...new Set([...left, ...right])].sort()))
  const kept: (readonly string[])[] = []
  for (const one of joined.sort((left, right) => left.length - right.length))
    if (!kept.some((less) => less.every((name) => one.includes(name)))) kept.push(one)
  return kept
}

function shown(alternatives: readonly (readonly string[])[]): string {
  return JSON.stringify(alternatives.map((all) => JSON.stringify(all)).sort())
}

/** Those of `@requires` and of keys have no braces around them, those of `@fromContext` may have. */
function selectionsOf(fieldSet: string): SelectionSetNode {
  const text = fieldSet.trim()
  const [definition] = parse(text.startsWith('{') ? text : `{${text}}`, { noLocation: true }).definitions
  if (definition?.kind !== Kind.OPERATION_DEFINITION)
    throw new Error(`"${fieldSet}" is no selection of fields`)
  return definition.selectionSet
}
