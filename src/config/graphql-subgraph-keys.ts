import { z } from 'zod'
import { errorPolicyKey, ownErrorPolicyKey } from './graphql-error-keys.ts'
import { subgraphHeadersKey } from './graphql-header-keys.ts'
import { sharingKey } from './graphql-sharing-keys.ts'

/** How all subgraphs are talked with: keys of `graphql`. */
export const ruleKeys = {
  headers: subgraphHeadersKey.describe('Headers of all subgraphs (docs/graphql-headers.md).'),
  errors: errorPolicyKey,
  sharing: sharingKey,
}

/** How one is: keys of `graphql.subgraphs.<name>`. */
export const ownRuleKeys = {
  headers: subgraphHeadersKey.describe('Rules for this subgraph, which come after those for all.'),
  errors: ownErrorPolicyKey,
  shareFetches: z
    .boolean()
    .optional()
    .describe('Whether identical queries under way to it are sent once. Default: graphql.sharing.fetches.'),
}
