import { isJsonObject } from '../../../core/json-value.ts'

/**
 * Compiles a list of what is kept of a JSON value: `id`, `address.city`; `items.id` is the id of each item where `items` is a list.
 * An empty list keeps all. What has none of the members that are asked for is left out.
 */
export function compileSelection(ways: readonly string[]): (value: unknown) => unknown {
  if (ways.length === 0) return (value) => value
  const tree: Tree = new Map()
  for (const way of ways) plant(tree, way.split('.'))
  return (value) => pick(value, tree) ?? null
}

/** Members that are kept, each with what is kept of it; null: all. */
type Tree = Map<string, Tree | null>

function plant(tree: Tree, [key = '', ...rest]: readonly string[]): void {
  const below = tree.get(key)
  if (below === null) return
  if (rest.length === 0) {
    tree.set(key, null)
    return
  }
  const branch: Tree = below ?? new Map()
  tree.set(key, branch)
  plant(branch, rest)
}

function pick(value: unknown, tree: Tree): unknown {
  if (Array.isArray(value)) return value.map((item) => pick(item, tree)).filter((item) => item !== undefined)
  if (value === null) return null
  if (!isJsonObject(value)) return undefined
  // Without a prototype, so that a member named __proto__ is one like any other.
  const kept: Record<string, unknown> = Object.create(null)
  for (const [key, below] of tree) {
    if (!Object.hasOwn(value, key)) continue
    const member = below === null ? value[key] : pick(value[key], below)
    if (member !== undefined) kept[key] = member
  }
  return kept
}
