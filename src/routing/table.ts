import type { Row, ValueMatch } from '../core/route.ts'
import { parseTemplate } from './template.ts'
import { insert, type TrieNode, trieNode, type Visit, visitMatches } from './trie.ts'

/** What the table is asked with. */
export interface MatchQuery {
  readonly method: string
  /** From {@link canonicalPath}: without `;parameters` and trailing slash. */
  readonly segments: readonly string[]
  readonly encodedSlash: boolean
  /** As sent, with port. */
  readonly host: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly query: string
}

/** A row with what the user of the table wants to find at it. */
export interface Entry<T> {
  readonly row: Row
  readonly value: T
}

/** Why a row whose path matches was not taken; `undefined` is the row that was. */
export type Refusal = 'method' | 'header' | 'query' | 'encodedSlash'

/**
 * All rows of all front-ends. Rows for the exact host come before wildcard hosts (longest first) and those before rows for every host; within
 * one host a literal segment comes before a variable, and a variable before `**`, with backtracking; on one template the row with
 * more conditions wins, then the one with methods, then the higher priority, then the one that names HEAD, then the earlier.
 */
export class RoutingTable<T> {
  readonly entries: readonly Entry<T>[]
  readonly #byHost = new Map<string, TrieNode<Entry<T>>>()
  readonly #wildcards: { readonly suffix: string; readonly root: TrieNode<Entry<T>> }[] = []
  readonly #everyHost: TrieNode<Entry<T>> = trieNode()
  readonly #verbs = new Set<string>()

  /** Throws an Error naming both rows when two of them cannot be told apart. */
  constructor(entries: readonly Entry<T>[]) {
    this.entries = entries
    const ranked = entries.toSorted(
      ({ row: a }, { row: b }) =>
        conditions(b) - conditions(a) || b.priority - a.priority || namesHead(b) - namesHead(a),
    )
    for (const entry of ranked) {
      const template = parseTemplate(entry.row.template)
      if (template.verb !== '') this.#verbs.add(template.verb)
      for (const root of this.#rootsOf([...new Set(entry.row.hosts)])) {
        const leaf = insert(root, template)
        const rival = leaf.find((other) => clash(other.row, entry.row))
        if (rival !== undefined) throw new RouteClash(rival.row, entry.row)
        leaf.push(entry)
      }
    }
    this.#wildcards.sort((a, b) => b.suffix.length - a.suffix.length)
  }

  /** What stands at the row that takes the request; undefined when none does. */
  match(query: MatchQuery): T | undefined {
    return this.#find(query, (entry) => refusal(entry.row, query) === undefined)?.value
  }

  /** Every row whose path and host match, in the order in which they are tried, with why it was refused. */
  explain(query: MatchQuery): { readonly row: Row; readonly refusal: Refusal | undefined }[] {
    const seen: { row: Row; refusal: Refusal | undefined }[] = []
    this.#find(query, (entry) => {
      seen.push({ row: entry.row, refusal: refusal(entry.row, query) })
      return false
    })
    return seen
  }

  /** Methods under which this path would match, upper case, sorted; empty when the path is unknown. For 405 and `Allow`. */
  allowedMethods(query: MatchQuery): string[] {
    const methods = new Set<string>()
    for (const { row, refusal } of this.explain(query)) {
      if (refusal === 'method') for (const method of withHead(row.methods)) methods.add(method)
    }
    return [...methods].sort()
  }

  #find(query: MatchQuery, visit: Visit<Entry<T>>): Entry<T> | undefined {
    const { segments } = query
    if (this.#byHost.size > 0 || this.#wildcards.length > 0) {
      const host = hostName(query.host)
      const exact = this.#byHost.get(host)
      const found = exact && visitMatches(exact, segments, this.#verbs, visit)
      if (found !== undefined) return found
      for (const { suffix, root } of this.#wildcards) {
        const below =
          host.length > suffix.length &&
          host.endsWith(suffix) &&
          visitMatches(root, segments, this.#verbs, visit)
        if (below) return below
      }
    }
    return visitMatches(this.#everyHost, segments, this.#verbs, visit)
  }

  #rootsOf(hosts: readonly string[]): TrieNode<Entry<T>>[] {
    if (hosts.length === 0) return [this.#everyHost]
    return hosts.map((host) => {
      if (!host.startsWith('*.')) {
        const known = this.#byHost.get(host) ?? trieNode<Entry<T>>()
        this.#byHost.set(host, known)
        return known
      }
      const suffix = host.slice(1)
      const known = this.#wildcards.find((wildcard) => wildcard.suffix === suffix)
      if (known !== undefined) return known.root
      const root = trieNode<Entry<T>>()
      this.#wildcards.push({ suffix, root })
      return root
    })
  }
}

/** Without port, and without the dot that ends a fully qualified name (RFC 3986 section 3.2.2). */
export function hostName(host: string): string {
  return host.toLowerCase().replace(/\.?(?::\d+)?$/, '')
}

function refusal(row: Row, query: MatchQuery): Refusal | undefined {
  if (query.encodedSlash && !row.encodedSlash) return 'encodedSlash'
  if (row.headers.length > 0 && !row.headers.every((match) => holds(match, query.headers[match.name])))
    return 'header'
  if (row.query.length > 0) {
    const parameters = new URLSearchParams(query.query)
    if (!row.query.every((match) => holds(match, parameters.getAll(match.name)))) return 'query'
  }
  return takesMethod(row.methods, query.method) ? undefined : 'method'
}

function takesMethod(methods: readonly string[], method: string): boolean {
  if (methods.length === 0) return true
  for (let i = 0; i < methods.length; i++) {
    if (methods[i] === method || (method === 'HEAD' && methods[i] === 'GET')) return true
  }
  return false
}

function withHead(methods: readonly string[]): readonly string[] {
  return methods.includes('GET') ? [...methods, 'HEAD'] : methods
}

function holds(match: ValueMatch, found: string | string[] | undefined): boolean {
  if (found === undefined || found.length === 0) return false
  if (match.value === '*') return true
  return typeof found === 'string' ? found === match.value : found.includes(match.value)
}

/** More conditions, and methods at all, make a row more particular. */
function conditions(row: Row): number {
  return (row.headers.length + row.query.length) * 2 + (row.methods.length > 0 ? 1 : 0)
}

/** A row that takes HEAD by name comes before one whose GET includes it. */
function namesHead(row: Row): number {
  return row.methods.includes('HEAD') ? 1 : 0
}

/** Rows of one template and host that take the same request, with nothing to prefer one. */
function clash(a: Row, b: Row): boolean {
  if (conditions(a) !== conditions(b) || a.priority !== b.priority) return false
  const methods = a.methods.length === 0 || a.methods.some((method) => b.methods.includes(method))
  return methods && sameMatches(a.headers, b.headers) && sameMatches(a.query, b.query)
}

function sameMatches(a: readonly ValueMatch[], b: readonly ValueMatch[]): boolean {
  return a.every((match) => b.some((other) => other.name === match.name && other.value === match.value))
}

/** Two rows that cannot be told apart; carries both so that the configuration can point at them. */
export class RouteClash extends Error {
  readonly rows: readonly [Row, Row]
  constructor(a: Row, b: Row) {
    const methods = b.methods.length === 0 ? 'any method' : b.methods.join(', ')
    super(`"${b.template}" (${methods}) of ${b.origin} clashes with "${a.template}" of ${a.origin}`)
    this.rows = [a, b]
  }
}
