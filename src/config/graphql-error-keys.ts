import { z } from 'zod'

const shape = {
  messages: z
    .enum(['coded', 'all', 'none'])
    .describe(
      'Which errors of subgraphs clients see as they are: coded those with a code of their own in extensions (but INTERNAL_SERVER_ERROR), all, or none. The others are masked, and logged.',
    ),
  maskedMessage: z.string().min(1).describe('What a masked error says.'),
  keepExtensions: z
    .array(z.string())
    .optional()
    .describe(
      'Members of extensions that clients see besides the code. Absent: all but stacks, exceptions and the like.',
    ),
  hideExtensions: z
    .array(z.string())
    .describe('Members of extensions that clients do not see, besides stacks, exceptions and the like.'),
  showSubgraph: z.boolean().describe('Whether extensions.serviceName names the subgraph that failed.'),
  showStatus: z
    .boolean()
    .describe(
      'Whether extensions.subgraphStatus has the HTTP status of a subgraph whose answer was no success.',
    ),
}

/** `graphql.errors` */
export const errorPolicyKey = z
  .strictObject({
    messages: shape.messages.default('coded'),
    maskedMessage: shape.maskedMessage.default('The subgraph failed.'),
    keepExtensions: shape.keepExtensions,
    hideExtensions: shape.hideExtensions.default([]),
    showSubgraph: shape.showSubgraph.default(true),
    showStatus: shape.showStatus.default(false),
  })
  .superRefine(refuseBoth)
  .prefault({})
  .describe('What clients see of the errors of subgraphs (docs/graphql-headers.md).')

/** `graphql.subgraphs.<name>.errors` */
export const ownErrorPolicyKey = z
  .strictObject({
    messages: shape.messages.optional(),
    maskedMessage: shape.maskedMessage.optional(),
    keepExtensions: shape.keepExtensions,
    hideExtensions: shape.hideExtensions.optional(),
    showSubgraph: shape.showSubgraph.optional(),
    showStatus: shape.showStatus.optional(),
  })
  .superRefine(refuseBoth)
  .prefault({})
  .describe('What is different from graphql.errors for this subgraph.')

function refuseBoth(
  {
    keepExtensions,
    hideExtensions = [],
  }: { keepExtensions?: string[] | undefined; hideExtensions?: string[] | undefined },
  context: z.RefinementCtx,
): void {
  if (keepExtensions === undefined || hideExtensions.length === 0) return
  const message = 'hides nothing where keepExtensions says what is kept'
  context.addIssue({ code: 'custom', path: ['hideExtensions'], message })
}
