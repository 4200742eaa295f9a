import { type FieldNode, Kind, type SelectionSetNode } from 'graphql'
import type { Fragments } from './fragments.ts'

/** Where clients see what is at a path of the data. */
export class ClientPaths {
  readonly #root: SelectionSetNode
  readonly #fragments: Fragments
  readonly #responseKeys: ReadonlyMap<string, string>

  constructor(
    root: SelectionSetNode,
    { fragments, responseKeys }: { fragments: Fragments; responseKeys: ReadonlyMap<string, string> },
  ) {
    this.#root = root
    this.#fragments = fragments
    this.#responseKeys = responseKeys
  }

  /** The path in the keys of the client, as far as it leads to something that was asked for. */
  of(path: readonly (string | number)[]): (string | number)[] {
    const known: (string | number)[] = []
    let sets: readonly SelectionSetNode[] = [this.#root]
    for (const part of path) {
      if (typeof part === 'string') {
        const fields = sets.flatMap((set) => this.#fieldsOf(set, part))
        if (fields.length === 0) break
        known.push(this.#responseKeys.get(part) ?? part)
        sets = fields.flatMap(({ selectionSet }) => selectionSet ?? [])
      } else known.push(part)
    }
    return known
  }

  #fieldsOf({ selections }: SelectionSetNode, key: string): FieldNode[] {
    return selections.flatMap((node) => {
      if (node.kind === Kind.FIELD) return (node.alias ?? node.name).value === key ? node : []
      const fragment = node.kind === Kind.INLINE_FRAGMENT ? node : this.#fragments.get(node.name.value)
      return fragment === undefined ? [] : this.#fieldsOf(fragment.selectionSet, key)
    })
  }
}
