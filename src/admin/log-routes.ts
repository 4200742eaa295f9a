import { z } from 'zod'
import { GatewayError } from '../core/error.ts'
import type { LogEntry } from '../request-log/log-entry.ts'
import { type LogFilter, readCursor } from '../request-log/log-filter.ts'
import type { RequestLog } from '../request-log/request-log.ts'
import { type AdminAnswer, type AdminEvent, type AdminRoute, adminRoute } from './admin-route.ts'
import { cursorQuery, filterOf, filterQuery } from './log-query.ts'
import { entryShape, logPageShape } from './log-shape.ts'
import { Places } from './places.ts'

export interface LogRoutesOptions {
  readonly log: RequestLog
  now(): number
}

const filters = z.strictObject(filterQuery)

const page = z.strictObject({
  ...filterQuery,
  limit: z.coerce.number().int().min(1).max(1_000).default(100).describe('How many at the most.'),
  cursor: cursorQuery,
  follow: z.stringbool().default(false).describe('As `/logs:follow`.'),
})

/** Streams at a time. */
const maxFollowers = 16

/** `/logs`: searches the log of settled requests, and tells of them as they settle. */
export function logRoutes({ log, now }: LogRoutesOptions): AdminRoute[] {
  const places = new Places(maxFollowers)
  const require = (): void => {
    if (!log.isOn)
      throw new GatewayError(
        'NOT_FOUND',
        'No request is logged: observability.requestLog.entries is 0 in the configuration.',
      )
  }
  const follow = (filter: LogFilter, signal: AbortSignal): AdminAnswer => {
    places.hold(signal)
    return { stream: events(log.follow(filter, signal)) }
  }
  return [
    adminRoute({
      method: 'GET',
      path: '/logs',
      scope: 'read',
      summary: 'Search the requests that settled',
      description:
        'Newest first: those that this gateway remembers, and those of all gateways in the database where that is on. `searched` says how far back that is. With `Accept: text/event-stream` or `follow=true` the answer is that of `/logs:follow`.',
      query: page,
      answer: logPageShape,
      async serve({ query: { limit, cursor, follow: isFollowing, ...fields }, accept, signal }) {
        require()
        const filter = filterOf(fields, now())
        if (isFollowing || accept.includes('text/event-stream')) return follow(filter, signal)
        const found = await log.search({ filter, limit, cursor })
        return { body: found, next: found.next }
      },
    }),
    adminRoute({
      method: 'GET',
      path: '/logs:follow',
      scope: 'read',
      summary: 'Follow requests as they settle',
      description:
        'Server-sent events `request`, one for each that fits, of this gateway. Who reads too slowly misses some.',
      query: filters,
      serve({ query, signal }) {
        require()
        return follow(filterOf(query, now()), signal)
      },
    }),
    adminRoute({
      method: 'GET',
      path: '/logs/{id}',
      scope: 'read',
      summary: 'One request of the log',
      description: 'By its `id` or its request id; of several with one request id the newest.',
      answer: entryShape,
      async serve({ params: { id = '' } }) {
        require()
        const entry = await one(log, id)
        if (entry === undefined)
          throw new GatewayError('NOT_FOUND', 'No request with this id is in the log (any more).')
        return { body: entry }
      },
    }),
  ]
}

async function one(log: RequestLog, id: string): Promise<LogEntry | undefined> {
  const place = readCursor(id)
  if (place !== undefined) {
    const entry = await log.find(place)
    if (entry !== undefined) return entry
  }
  const { items } = await log.search({ filter: { requestId: id }, limit: 1, cursor: undefined })
  return items[0]
}

async function* events(entries: AsyncIterable<LogEntry>): AsyncGenerator<AdminEvent> {
  for await (const entry of entries) yield { event: 'request', id: entry.id, data: entry }
}
