import { z } from 'zod'
import { duration, size } from '../core/units.ts'

/** `mirror` of a route, a subgraph, a gRPC service. */
export const mirrorKey = z
  .strictObject({
    upstream: z
      .string()
      .describe(
        'Who gets the copies, writing requests included: a name under upstreams, of a system with data of its own.',
      ),
    percent: z
      .number()
      .min(0)
      .max(100)
      .default(100)
      .describe('Share of the calls that is copied, at random.'),
    maxBodyBytes: size().prefault('64kb').describe('Requests with a larger body are not copied.'),
    maxInFlight: z
      .int()
      .min(1)
      .max(10_000)
      .default(50)
      .describe('Copies of this place at a time, in each gateway; what is above is not copied.'),
    timeout: duration()
      .refine((ms) => ms > 0, 'expected more than 0s')
      .prefault('10s')
      .describe('For one copy, to the last byte of its answer.'),
    compare: z
      .boolean()
      .default(false)
      .describe('Whether status and body of both answers are compared; differences are logged and counted.'),
  })
  .optional()
  .describe('Copies a share of the calls to another upstream, whose answers are dropped. Default: none.')

export type MirrorConfig = NonNullable<z.output<typeof mirrorKey>>
