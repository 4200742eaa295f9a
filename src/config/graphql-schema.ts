import { z } from 'zod'
import { size } from '../core/units.ts'
import { hiddenKeys } from './api-docs-keys.ts'
import { canaryKey } from './canary-keys.ts'
import { name, object, template } from './declare.ts'
import { authorizationKey } from './graphql-authorization-keys.ts'
import { costKeys } from './graphql-cost-keys.ts'
import { planningKey } from './graphql-planning-keys.ts'
import { requestKeys } from './graphql-request-keys.ts'
import { serviceKeys, serviceProblems } from './graphql-service-keys.ts'
import { sharingProblems } from './graphql-sharing-keys.ts'
import { ownRuleKeys, ruleKeys } from './graphql-subgraph-keys.ts'
import { subgraphSubscriptionKey, subscriptionsKey } from './graphql-subscription-keys.ts'
import { liveKey, sourceProblems, supergraphUrlKey, warmUpKey } from './graphql-supergraph-keys.ts'
import { mirrorKey } from './mirror-keys.ts'
import { type PluginListSchema, policyKeys } from './policy-keys.ts'

/** `graphql`. */
export function graphqlSchema(uses: PluginListSchema) {
  return z
    .strictObject({
      path: template().default('/graphql').describe('Where clients ask.'),
      subgraphs: z
        .record(
          name('a subgraph'),
          z.strictObject({
            upstream: z
              .string()
              .optional()
              .describe(
                'Who answers: a name under upstreams. Needed but where all resolvers are gRPC calls.',
              ),
            canary: canaryKey,
            mirror: mirrorKey,
            path: z.string().startsWith('/').default('/graphql').describe("Path of the subgraph's endpoint."),
            schema: z
              .string()
              .optional()
              .describe('SDL file, relative to this file; needed unless live or supergraph is set.'),
            live: liveKey,
            subscription: subgraphSubscriptionKey,
            ...ownRuleKeys,
            ...serviceKeys,
          }),
        )
        .describe('Federation 2 subgraphs.'),
      supergraph: z
        .string()
        .optional()
        .describe('A composed supergraph file, instead of composing the subgraphs.'),
      supergraphUrl: supergraphUrlKey,
      warmUp: warmUpKey,
      ...requestKeys,
      ...ruleKeys,
      explorer: z.boolean().default(false).describe('Whether browsers get GraphiQL at the path.'),
      limits: object({
        bodyBytes: size().prefault('2mb').describe('Largest request body.'),
        depth: z
          .int()
          .min(1)
          .default(15)
          .describe('Nested selections, fragments counted where they are spread.'),
        aliases: z.int().min(0).default(30).describe('Aliases, fragments counted where they are spread.'),
        tokens: z.int().min(1).default(15_000).describe('Lexical tokens of the document.'),
        rootFields: z.int().min(1).default(20).describe('Fields at the root.'),
        directives: z.int().min(0).default(50).describe('Directives in the document.'),
        fragments: z.int().min(0).default(100).describe('Fragments that the document defines.'),
        ...costKeys,
      }).describe('Counted before an operation is planned.'),
      authorization: authorizationKey,
      subscriptions: subscriptionsKey,
      planning: planningKey,
      docs: hiddenKeys,
      ...policyKeys(uses),
    })
    .superRefine((value, context) => {
      for (const [path, message] of [
        ...sourceProblems(value),
        ...serviceProblems(value),
        ...sharingProblems(value),
      ])
        context.addIssue({ code: 'custom', path, message })
    })
}
