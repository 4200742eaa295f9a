import { z } from 'zod'

/** `graphql.limits.cost` and `listSize` */
export const costKeys = {
  cost: z
    .int()
    .min(1)
    .optional()
    .describe(
      'What an operation may cost: 1 for each object that it may answer, 10 more for each field of a mutation, and what @cost and @listSize say (docs/graphql-authorization.md). Absent: anything.',
    ),
  listSize: z
    .int()
    .min(1)
    .default(10)
    .describe('How many elements a list is taken to have of which @listSize says nothing.'),
}
