import { z } from 'zod'
import { duration } from '../core/units.ts'

/** `circuitBreaker` of an upstream; absent: off. */
export const circuitBreakerKeys = z
  .strictObject({
    per: z
      .enum(['upstream', 'target', 'both'])
      .default('upstream')
      .describe(
        'What has a circuit: the upstream as a whole (what clients get after all tries counts), each target (each try counts), or both.',
      ),
    failureRatio: z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe(
        'Share of the calls of the window that failed at which it opens; 0: the share does not count.',
      ),
    minRequests: z
      .int()
      .min(1)
      .default(20)
      .describe('Calls in the window below which the share says nothing.'),
    window: duration().prefault('10s').describe('What the share is counted over, at least 100ms.'),
    consecutiveFailures: z
      .int()
      .min(0)
      .default(5)
      .describe('Failures in a row at which it opens; 0: they do not count.'),
    slowCall: duration()
      .prefault('0s')
      .describe(
        'An answer whose head takes longer, from the last byte of the request, counts as a failure; 0s: none does.',
      ),
    openFor: duration().prefault('30s').describe('How long calls are refused then, at least 100ms.'),
    halfOpenMax: z
      .int()
      .min(1)
      .max(1_000)
      .default(1)
      .describe(
        'After that: how many calls may be under way at a time, and how many must do well for the circuit to close. One that fails opens it again.',
      ),
  })
  .superRefine(({ failureRatio, consecutiveFailures, window, openFor }, context) => {
    const issue = (key: string, message: string) => context.addIssue({ code: 'custom', path: [key], message })
    if (failureRatio === 0 && consecutiveFailures === 0)
      issue('failureRatio', 'without it, and without consecutiveFailures, the circuit never opens')
    if (window < 100) issue('window', 'must be 100ms at least')
    if (openFor < 100) issue('openFor', 'must be 100ms at least')
  })
  .optional()
  .describe(
    'Calls to what keeps failing are refused at once for a while. Absent: never; {}: with these defaults.',
  )
