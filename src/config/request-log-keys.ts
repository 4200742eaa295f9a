import { z } from 'zod'
import { duration, size } from '../core/units.ts'
import { object } from './declare.ts'

const retention = z.strictObject({
  maxAge: duration().prefault('7d').describe('Older entries are deleted.'),
  maxRows: z
    .int()
    .min(1_000)
    .default(1_000_000)
    .describe('When there are more, the oldest are deleted. A million take about 1 GB.'),
})

/** `observability.requestLog`. */
export const requestLogKeys = object({
  entries: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(10_000)
    .describe(
      'Latest requests that are kept in memory, for `GET /admin/logs`; 0: none, and nothing is logged.',
    ),
  bytes: size()
    .refine((bytes) => bytes >= 1_048_576 && bytes <= 1_073_741_824, 'is between 1mb and 1gb')
    .prefault('8mb')
    .describe('Memory for them, taken once; a request takes some hundred bytes. The oldest make room.'),
  database: z
    .boolean()
    .default(false)
    .describe(
      'Whether they are written into `stores.database`, too, some times a second. What cannot be written in time is dropped and counted.',
    ),
  retention: retention
    .optional()
    .describe(
      'How much the database keeps; absent: 7 days, a million entries. For all gateways that share it.',
    ),
})
  .refine(({ database, entries }) => !database || entries > 0, {
    message: 'needs `entries`: what is to be written waits among those',
    path: ['database'],
  })
  .refine(({ database, retention }) => database || retention === undefined, {
    message: 'is for what the database keeps; set `database: true`, or leave it out',
    path: ['retention'],
  })
  .describe('Every settled request, to be searched (docs/request-log.md).')

export type RequestLogConfig = z.output<typeof requestLogKeys>

/** What is kept where nothing is said of it. */
export const usualRetention: z.output<typeof retention> = retention.parse({})
