import { z } from 'zod'
import { duration } from '../core/units.ts'
import { object } from './declare.ts'

/** `concurrency` of an upstream. */
export const concurrencyKeys = object({
  max: z.int().min(0).default(0).describe('Calls under way at the most; 0: no limit.'),
  queue: z
    .int()
    .min(0)
    .max(100_000)
    .default(0)
    .describe(
      'Calls that wait for their turn at the most; whatever comes on top is refused with 503 (F50303).',
    ),
  queueTimeout: duration()
    .prefault('1s')
    .describe('How long a call waits at the most, and never longer than it has left; then it is refused.'),
})
  .refine(({ max, queue }) => max > 0 || queue === 0, {
    message: 'calls wait where max is above 0 only',
    path: ['queue'],
  })
  .describe('How many calls an upstream gets at a time, all targets together.')

/** `server.overload`. */
export const overloadKeys = object({
  eventLoopDelay: duration()
    .prefault('200ms')
    .describe(
      'A request that has waited for its turn for longer, because the event loop is busy, is refused with 503 (F50303) before anything is done for it; 0s: never.',
    ),
  heapPercent: z
    .int()
    .min(0)
    .max(100)
    .default(90)
    .describe(
      'Of the heap that Node may use; while more is in use, all new requests are refused with 503 (F50303); 0: never.',
    ),
}).describe('When the gateway refuses new requests, so that it can answer those that it has.')
