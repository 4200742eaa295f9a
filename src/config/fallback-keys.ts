import { z } from 'zod'
import { respondSchema } from './route-answer.ts'

/** `fallback` of an upstream. */
export const upstreamFallback = z
  .strictObject({ upstream: z.string().describe('A name under upstreams.') })
  .optional()
  .describe(
    'Who takes the calls that this upstream cannot: its circuit is open, no target is healthy, or all tries failed where another is safe.',
  )

/** `fallback` of a gRPC service. */
export const serviceFallback = z
  .strictObject({
    respond: z
      .record(z.string(), z.record(z.string(), z.unknown()))
      .describe('By method: its answer as a message in JSON. For unary methods.'),
  })
  .optional()
  .describe('What clients get where the upstream (and its fallback) cannot answer, instead of an error.')

/** `fallback` of a REST route. */
export const routeFallback = z
  .strictObject({ respond: respondSchema.describe('A static answer, as in respond of a route.') })
  .optional()
  .describe('What clients get where the upstream (and its fallback) cannot answer, instead of an error.')
