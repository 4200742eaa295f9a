import { duration } from '../core/units.ts'
import { object } from './declare.ts'
import { audience } from './graphql-request-keys.ts'

/** `graphql.queryPlan` */
export const queryPlanKey = audience
  .default(false)
  .describe(
    'Whose answers have the query plan in extensions.queryPlan where the request has the header Apollo-Expose-Query-Plan: true. true, false, or callers with what is here.',
  )

/** `graphql.slowLog` */
export const slowLogKey = object({
  operation: duration()
    .prefault('5s')
    .describe('What an operation may take before it is logged. 0s: none is.'),
  planning: duration().prefault('1s').describe('What the planning of one may take. 0s: none is logged.'),
}).describe(
  'Operations that the log names because they took long: name, hash, times, number of fetches; never variables.',
)
