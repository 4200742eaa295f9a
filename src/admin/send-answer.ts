import type { Request, Response } from 'express'
import type { AdminAnswer, AdminEvent, AdminRoute } from './admin-route.ts'

/** Sends what a route answered. */
export function sendAnswer(req: Request, res: Response, route: AdminRoute, answer: AdminAnswer): void {
  const { status = route.status, body, type, location, etag, next } = answer
  if (location !== undefined) res.set('Location', req.baseUrl + location)
  if (etag !== undefined) res.set('ETag', etag)
  if (next !== undefined && next !== null) res.set('Link', `<${nextUrl(req, next)}>; rel="next"`)
  if (etag !== undefined && isKnown(req, etag)) res.status(304).end()
  else if (body === undefined) res.status(status ?? 204).end()
  else if (typeof body === 'string')
    res
      .status(status ?? 200)
      .type(type ?? 'application/yaml')
      .send(body)
  else res.status(status ?? 200).json(body)
}

/** RFC 9110 section 13.1.2. */
function isKnown({ method, headers }: Request, etag: string): boolean {
  if (method !== 'GET') return false
  const known = headers['if-none-match']?.split(',').map((one) => one.trim().replace(/^W\//, ''))
  return known !== undefined && (known.includes(etag) || known.includes('*'))
}

/** The same list from the cursor on. */
function nextUrl({ originalUrl }: Request, cursor: string): string {
  const url = new URL(originalUrl, 'http://gateway')
  url.searchParams.set('cursor', cursor)
  return url.pathname + url.search
}

/** How often a silent stream says that it is there: less than what proxies wait. */
const keepAliveMs = 15_000

/** Whoever takes nothing for so long is cut off. */
const stalledMs = 30_000

/** Sends events one by one, as fast as the client takes them, until they end, which they do when `signal` aborts: the client or the gateway has gone. */
export async function sendEvents(
  res: Response,
  events: AsyncIterable<AdminEvent>,
  signal: AbortSignal,
): Promise<void> {
  // Not by Express, which would add a charset that the type has not.
  res.setHeader('Content-Type', 'text/event-stream')
  res.status(200).set('X-Accel-Buffering', 'no').flushHeaders()
  const keepAlive = setInterval(() => {
    if (!res.writableNeedDrain) res.write(':\n\n')
  }, keepAliveMs)
  try {
    for await (const event of events) {
      if (signal.aborted) break
      if (!res.write(eventText(event))) await drained(res, signal)
    }
  } finally {
    clearInterval(keepAlive)
    res.end()
  }
}

/** Resolves when the client has taken what waits, or is cut off because it did not in time, or `signal` aborts. */
function drained(res: Response, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      res.off('drain', done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(() => res.destroy(), stalledMs)
    res.once('drain', done)
    signal.addEventListener('abort', done, { once: true })
    if (signal.aborted) done()
  })
}

function eventText({ event, id, data }: AdminEvent): string {
  const name = event === undefined ? '' : `event: ${event}\n`
  const number = id === undefined ? '' : `id: ${id}\n`
  return `${name}${number}data: ${JSON.stringify(data)}\n\n`
}
