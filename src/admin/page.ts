import { GatewayError } from '../core/error.ts'

/** One page of a list. */
export interface Page<T> {
  readonly items: readonly T[]
  /** The `cursor` of the next page; null: there is none. */
  readonly next: string | null
  /** In the whole list. */
  readonly total: number
}

/**
 * The page that `?limit=&cursor=` asks for: 100 items unless told, 1,000 at the most, in the order of their ids. What comes and goes
 * between two pages moves nothing else. Throws INVALID_ARGUMENT.
 */
export function pageOf<T extends { readonly id: string }>(
  list: Iterable<T>,
  query: URLSearchParams,
): Page<T> {
  const limit = Number(query.get('limit') ?? 100)
  if (!Number.isInteger(limit) || limit < 1 || limit > 1_000)
    throw new GatewayError('INVALID_ARGUMENT', 'limit is a number from 1 to 1000.')
  const all = [...list].sort((a, b) => (a.id < b.id ? -1 : 1))
  const cursor = query.get('cursor') ?? ''
  const from = all.findIndex(({ id }) => id > cursor)
  const items = from === -1 ? [] : all.slice(from, from + limit)
  const hasMore = from !== -1 && from + limit < all.length
  return { items, next: hasMore ? (items.at(-1)?.id ?? null) : null, total: all.length }
}

/** Refuses parameters that a list does not know: who believes them to be a filter would take the whole list for what they asked for. */
export function requireKnown(query: URLSearchParams, known: readonly string[]): void {
  const unknown = [...query.keys()].find((name) => !known.includes(name))
  if (unknown === undefined) return
  const text = `There is no parameter "${unknown.slice(0, 64)}" here; there are ${known.join(', ')}.`
  throw new GatewayError('INVALID_ARGUMENT', text)
}
