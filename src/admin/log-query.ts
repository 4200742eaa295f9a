import { z } from 'zod'
import { duration, parseDuration } from '../core/units.ts'
import { type LogFilter, readCursor, type StatusRange } from '../request-log/log-filter.ts'

/** A time, or how long ago: `2026-11-21T12:00:00Z`, `15m`. Read as Unix time in milliseconds, of the past as a negative number. */
const moment = z.string().transform((text, context) => {
  const ago = parseDuration(text)
  if (ago !== undefined) return -ago
  const at = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(at)) return at
  context.addIssue('expected a time such as 2027-01-01T00:00:00Z, or how long ago: 15m')
  return z.NEVER
})

const status = z.string().transform((text, context): StatusRange => {
  const [, exact, hundreds, from, to] =
    /^(?:([1-5]\d\d)|([1-5])xx|([1-5]\d\d)-([1-5]\d\d))$/i.exec(text) ?? []
  if (exact !== undefined) return { from: Number(exact), to: Number(exact) }
  if (hundreds !== undefined) return { from: Number(hundreds) * 100, to: Number(hundreds) * 100 + 99 }
  if (from !== undefined && Number(from) <= Number(to)) return { from: Number(from), to: Number(to) }
  context.addIssue('expected a status such as 404, 4xx or 400-499')
  return z.NEVER
})

const text = z.string().min(1).max(256)

/** What a log is searched by. */
export const filterQuery = {
  traceId: z
    .string()
    .regex(/^[0-9a-f]{32}$/, 'expected 32 hexadecimal digits in lower case')
    .optional()
    .describe('`X-Trace-ID`, 32 hexadecimal digits.'),
  requestId: text.optional().describe('`X-Request-Id`.'),
  status: status.optional().describe('404, 4xx or 400-499.'),
  route: text.optional().describe('Its id; `unrouted` for what no route took.'),
  consumer: text.optional(),
  protocol: z.enum(['rest', 'graphql', 'grpc']).optional(),
  method: text
    .transform((method) => method.toUpperCase())
    .optional()
    .describe('Of HTTP.'),
  upstream: text.optional().describe('One that was called.'),
  reason: text.optional().describe('Why it was refused or failed: RATE_LIMITED.'),
  since: moment.optional().describe('A time, or how long ago: 15m.'),
  until: moment.optional().describe('A time, or how long ago; what settled then counts no more.'),
  minDuration: duration().optional().describe('Only what took so long: 500ms.'),
}

export const cursorQuery = z
  .string()
  .transform((text, context) => {
    const cursor = readCursor(text)
    if (cursor !== undefined) return cursor
    context.addIssue('expected what `next` was on the page before')
    return z.NEVER
  })
  .optional()
  .describe('What `next` was on the page before.')

/** What the parameters of a query ask for. */
export function filterOf(
  { minDuration: minDurationMs, since, until, ...rest }: z.output<z.ZodObject<typeof filterQuery>>,
  now: number,
): LogFilter {
  return { ...rest, minDurationMs, since: absolute(since, now), until: absolute(until, now) }
}

function absolute(moment: number | undefined, now: number): number | undefined {
  return moment !== undefined && (moment < 0 || Object.is(moment, -0)) ? now + moment : moment
}
