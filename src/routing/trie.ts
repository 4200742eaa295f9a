import type { Template } from './template.ts'

/** One place in the tree of templates: what follows it, and what ends at it (by verb). */
export interface TrieNode<E> {
  readonly literals: Map<string, TrieNode<E>>
  star: TrieNode<E> | undefined
  /** Entries that end here, by verb; `''` is no verb. */
  readonly ends: Map<string, E[]>
  /** Entries whose `**` begins here and stands last, by verb. */
  readonly openEnds: Map<string, E[]>
  /** What follows a `**` that begins here, by the number of its segments; the most first. */
  readonly tails: Tail<E>[]
}

/** The tree of what follows a `**`: all of its templates go on for the same number of segments. */
interface Tail<E> {
  readonly length: number
  readonly root: TrieNode<E>
}

/** Looks at one entry whose path matches; true takes it and ends the walk. */
export type Visit<E> = (entry: E) => boolean

export function trieNode<E>(): TrieNode<E> {
  return { literals: new Map(), star: undefined, ends: new Map(), openEnds: new Map(), tails: [] }
}

/** The list of entries at a template's place in the tree, made when it is not there yet. */
export function insert<E>(root: TrieNode<E>, template: Template): E[] {
  let node = root
  let ends = node.ends
  for (const [index, segment] of template.segments.entries()) {
    if (segment.kind === 'doubleStar') {
      const length = template.segments.length - index - 1
      ends = node.openEnds
      if (length === 0) break
      node = tailOf(node, length)
      continue
    }
    if (segment.kind === 'star') {
      node.star ??= trieNode()
      node = node.star
    } else {
      const next = node.literals.get(segment.text) ?? trieNode<E>()
      node.literals.set(segment.text, next)
      node = next
    }
    ends = node.ends
  }
  const list = ends.get(template.verb) ?? []
  ends.set(template.verb, list)
  return list
}

function tailOf<E>({ tails }: TrieNode<E>, length: number): TrieNode<E> {
  const known = tails.find((tail) => tail.length === length)
  if (known !== undefined) return known.root
  const root = trieNode<E>()
  tails.push({ length, root })
  tails.sort((a, b) => b.length - a.length)
  return root
}

/**
 * Visits the entries whose template matches, best first: literal before `*` before `**` at each segment, with backtracking, and a `**`
 * that more segments follow before one with fewer; a verb that some template has before the same text as part of the segment
 * (so `urn:isbn:1` is an id where no verb `1` is known). Each node is looked at once at the most (where a `**` ends is known
 * from the length of what follows it), so the cost is bounded by the tree, not by the path.
 */
export function visitMatches<E>(
  root: TrieNode<E>,
  segments: readonly string[],
  verbs: ReadonlySet<string>,
  visit: Visit<E>,
): E | undefined {
  const last = segments.at(-1)
  if (verbs.size > 0 && last !== undefined) {
    const colon = last.lastIndexOf(':')
    const verb = colon === -1 ? '' : last.slice(colon + 1)
    if (verb !== '' && verbs.has(verb)) {
      const shorter = [...segments.slice(0, -1), last.slice(0, colon)]
      const found = walk(root, 0, { segments: shorter, verb, visit })
      if (found !== undefined) return found
    }
  }
  return walk(root, 0, { segments, verb: '', visit })
}

interface Walk<E> {
  readonly segments: readonly string[]
  readonly verb: string
  readonly visit: Visit<E>
}

function walk<E>(node: TrieNode<E>, at: number, way: Walk<E>): E | undefined {
  const { segments, verb } = way
  if (at === segments.length) {
    return take(node.ends.get(verb), way.visit) ?? take(node.openEnds.get(verb), way.visit)
  }
  const segment = segments[at] as string
  const literal = node.literals.get(segment)
  const byLiteral = literal && walk(literal, at + 1, way)
  if (byLiteral !== undefined) return byLiteral
  const byStar = node.star !== undefined && segment !== '' ? walk(node.star, at + 1, way) : undefined
  return byStar ?? walkTails(node, at, way) ?? take(node.openEnds.get(verb), way.visit)
}

function walkTails<E>({ tails }: TrieNode<E>, at: number, way: Walk<E>): E | undefined {
  for (let i = 0; i < tails.length; i++) {
    const { length, root } = tails[i] as Tail<E>
    const rest = way.segments.length - length
    const found = rest < at ? undefined : walk(root, rest, way)
    if (found !== undefined) return found
  }
  return undefined
}

function take<E>(entries: readonly E[] | undefined, visit: Visit<E>): E | undefined {
  if (entries === undefined) return undefined
  for (let i = 0; i < entries.length; i++) {
    if (visit(entries[i] as E)) return entries[i]
  }
  return undefined
}
