import { z } from 'zod'
import type { AdminAnswer } from './admin-route.ts'

/** One page of a list. */
export interface Page<T> {
  readonly items: readonly T[]
  /** The `cursor` of the next page; null: there is none. */
  readonly next: string | null
  /** In the whole list. */
  readonly total: number
}

/** The parameters of every list; those of its filters come beside them. */
export const pageQuery = {
  limit: z.coerce
    .number('is a number from 1 to 1000')
    .int('is a whole number')
    .min(1, 'is at least 1')
    .max(1_000, 'is at most 1000')
    .default(100)
    .describe('How many items at the most.'),
  cursor: z.string().max(1_024).default('').describe('What `next` was on the page before.'),
}

export interface PageAsk {
  readonly limit: number
  readonly cursor: string
}

/** What a page of such items is. */
export function pageOfSchema(item: z.ZodType) {
  return z.strictObject({
    items: z.array(item),
    next: z.string().nullable().describe('The cursor of the next page; null: this is the last.'),
    total: z.int().describe('In the whole list.'),
  })
}

/** The page that was asked for, in the order of their ids. What comes and goes between two pages moves nothing else. */
export function pageOf<T extends { readonly id: string }>(
  list: Iterable<T>,
  { limit, cursor }: PageAsk,
): Page<T> {
  const all = [...list].sort((a, b) => (a.id < b.id ? -1 : 1))
  const from = all.findIndex(({ id }) => id > cursor)
  const items = from === -1 ? [] : all.slice(from, from + limit)
  const hasMore = from !== -1 && from + limit < all.length
  return { items, next: hasMore ? (items.at(-1)?.id ?? null) : null, total: all.length }
}

/** The page of a list that was asked for one item more than `limit`: where that is there, a next page is, from the last item that is shown. */
export function pageOfFound<T>(
  { items, total }: { readonly items: readonly T[]; readonly total: number },
  { limit, cursorOf, shown }: { limit: number; cursorOf(item: T): number; shown(item: T): unknown },
): AdminAnswer {
  const page = items.slice(0, limit)
  const last = page.at(-1)
  const next = items.length > limit && last !== undefined ? String(cursorOf(last)) : null
  return pageAnswer({ items: page.map(shown), next, total })
}

/** A page with its `Link`. */
export function pageAnswer(page: Page<unknown>): AdminAnswer {
  return { body: page, next: page.next }
}
