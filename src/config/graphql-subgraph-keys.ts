import { z } from 'zod'
import { errorPolicyKey, ownErrorPolicyKey } from './graphql-error-keys.ts'
import { headersKey, ownHeadersKey } from './graphql-header-keys.ts'
import { queryPlanKey, slowLogKey } from './graphql-seen-keys.ts'
import { sharingKey } from './graphql-sharing-keys.ts'

const extensionNames = z.array(z.string().min(1))

/** How all subgraphs are talked with, and what is seen of it: keys of `graphql`. */
export const ruleKeys = {
  headers: headersKey,
  errors: errorPolicyKey,
  forwardExtensions: extensionNames
    .default([])
    .describe('Members of the extensions of answers that clients see, in extensions.subgraphs.<name>.'),
  queryPlan: queryPlanKey,
  slowLog: slowLogKey,
  sharing: sharingKey,
}

/** How one is: keys of `graphql.subgraphs.<name>`. */
export const ownRuleKeys = {
  headers: ownHeadersKey,
  errors: ownErrorPolicyKey,
  forwardExtensions: extensionNames.optional().describe('Instead of graphql.forwardExtensions.'),
  shareFetches: z
    .boolean()
    .optional()
    .describe('Whether identical queries under way to it are sent once. Default: graphql.sharing.fetches.'),
}
