import { type DocumentNode, type FieldNode, print, visit } from 'graphql'
import type { PlannerSupergraph } from './planner-supergraph.ts'

/** Which fields of an operation are given another response key for the planner. */
export interface ResponseKeys {
  /** Planned key to the client's. */
  readonly clientKeys: ReadonlyMap<string, string>
  /** Undefined: the field keeps its key. */
  plannedKey(field: FieldNode): string | undefined
}

/**
 * A key is given up where the planner may select something else under it (a key field, what a `@requires` names), and where the
 * operation itself uses it for different things: one fetch may serve several types, and asks all of them for all of it.
 */
export function keysOf(
  document: DocumentNode,
  { ownKeys, fieldNames }: Pick<PlannerSupergraph, 'ownKeys' | 'fieldNames'>,
): ResponseKeys {
  const uses = new Map<string, Set<string>>()
  visit(document, {
    Field(node) {
      const key = keyOf(node)
      const known = uses.get(key)
      if (known === undefined) uses.set(key, new Set([useOf(node)]))
      else known.add(useOf(node))
    },
  })
  const clientKeys = new Map<string, string>()
  const planned = new Map<string, string>()
  for (const [key, of] of uses) {
    for (const use of of) {
      if (use === key || (of.size === 1 && !ownKeys.has(key))) continue
      const name = freeKey(key)
      planned.set(`${key}:${use}`, name)
      clientKeys.set(name, key)
    }
  }
  return { clientKeys, plannedKey: (node) => planned.get(`${keyOf(node)}:${useOf(node)}`) }

  function freeKey(key: string): string {
    const stem = key.startsWith('__') ? key.slice(2) : key
    for (let n = 1; ; n++) {
      const name = `${stem}__${n}`
      if (!uses.has(name) && !clientKeys.has(name) && !fieldNames.has(name)) return name
    }
  }
}

function keyOf({ alias, name }: FieldNode): string {
  return (alias ?? name).value
}

/** The field with its arguments in a fixed order; a plain field: its name. */
function useOf({ name, arguments: given = [] }: FieldNode): string {
  if (given.length === 0) return name.value
  return `${name.value}(${given
    .map((node) => print(node))
    .sort()
    .join()})`
}
