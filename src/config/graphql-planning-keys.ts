import { z } from 'zod'
import { duration, size } from '../core/units.ts'
import { object } from './declare.ts'

/** `graphql.planning` */
export const planningKey = object({
  timeout: duration()
    .refine((ms) => ms >= 1, 'must be at least 1ms')
    .prefault('5s')
    .describe('What planning one operation may take.'),
  queue: z.int().min(1).default(100).describe('Operations that may wait to be planned.'),
  cache: size().prefault('16mb').describe('Plans that are remembered, in bytes of their text.'),
  heap: size()
    .prefault('512mb')
    .describe('Largest heap of a planning process; a large supergraph needs more.'),
  maxEvaluatedPlans: z
    .int()
    .min(1)
    .default(10_000)
    .describe('Plans of one operation that are compared to find the best.'),
  pathsLimit: z
    .int()
    .min(1)
    .optional()
    .describe('Ways to one field above which an operation is refused. Absent: any number.'),
  overrides: z
    .array(
      z
        .string()
        .min(1)
        .refine((label) => !label.startsWith('percent('), 'is decided for each request, by chance'),
    )
    .default([])
    .describe('Labels of @override(label:) that are on. percent(..) is decided for each request.'),
}).describe('How operations are planned, in a process of their own.')
