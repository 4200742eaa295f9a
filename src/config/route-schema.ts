import { z } from 'zod'
import { duration, size } from '../core/units.ts'
import { aggregateSchema } from './aggregate-schema.ts'
import { routeDocsKeys } from './api-docs-keys.ts'
import { canaryKey } from './canary-keys.ts'
import { name, object, template } from './declare.ts'
import { routeFallback } from './fallback-keys.ts'
import { mirrorKey } from './mirror-keys.ts'
import { graphqlOperationSchema } from './operation-schema.ts'
import { type PluginListSchema, policyKeys } from './policy-keys.ts'
import { queryChanges, redirectSchema, respondSchema } from './route-answer.ts'
import { pathText } from './text-keys.ts'

/** One entry of `routes`. */
export function routeSchema(uses: PluginListSchema) {
  const match = z.record(z.string().toLowerCase(), z.string())
  return z
    .strictObject({
      id: name('a route').describe('Unique; the label of logs and metrics.'),
      path: template().describe(
        'Template in the grammar of google.api.http: /v1/users/**, /v1/{name=shelves/*}:watch.',
      ),
      methods: z
        .array(z.string().regex(/^[A-Z]+$/, 'methods are upper case'))
        .default([])
        .describe('Empty: every method. GET includes HEAD.'),
      hosts: z
        .array(
          z
            .string()
            .toLowerCase()
            .regex(/^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*$/, 'expected a host name, or *. and one'),
        )
        .default([])
        .describe('Host names or *.example.com; empty: every host.'),
      headers: match.default({}).describe('Headers that must be there, by exact value or "*" for any.'),
      query: z
        .record(z.string(), z.string())
        .default({})
        .describe('Query parameters that must be there, likewise.'),
      priority: z.int().default(0).describe('Higher wins between routes that match equally well.'),
      upstream: z
        .string()
        .optional()
        .describe(
          'Who answers: a name under upstreams. Instead of it: redirect, respond, aggregate or graphqlOperation.',
        ),
      canary: canaryKey,
      mirror: mirrorKey,
      fallback: routeFallback,
      redirect: redirectSchema.optional().describe('Answers with the address of another place.'),
      respond: respondSchema.optional().describe('Answers without an upstream.'),
      aggregate: aggregateSchema
        .optional()
        .describe('Answers with one JSON object out of several calls (docs/aggregation.md).'),
      graphqlOperation: graphqlOperationSchema
        .optional()
        .describe('Answers with what a GraphQL operation says (docs/aggregation.md).'),
      rewrite: object({
        stripPrefix: z
          .string()
          .startsWith('/')
          .optional()
          .describe('Segments taken off the path: /v1/users makes /v1/users/42 into /42.'),
        path: pathText()
          .optional()
          .describe(
            'Another path instead, which may have values in it (docs/shaping.md); excludes stripPrefix.',
          ),
        prefix: z
          .string()
          .startsWith('/')
          .optional()
          .describe('Segments put before the path, after stripPrefix.'),
        query: queryChanges.optional().describe('Changes to the query.'),
      }).describe('The path and query that the upstream sees.'),
      timeout: duration()
        .optional()
        .describe(
          "Time to the head of the answer, instead of the upstream's timeouts.request; of aggregate and graphqlOperation for the whole, default 30s.",
        ),
      bodyBytes: size().optional().describe('Largest request body, instead of server.limits.bodyBytes.'),
      encodedSlash: z
        .boolean()
        .default(false)
        .describe('Whether %2F and %5C inside a segment are accepted (else 404).'),
      docs: routeDocsKeys,
      ...policyKeys(uses),
    })
    .superRefine((route, context) => {
      const answers = answerKeys.filter((key) => route[key] !== undefined)
      const issue = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message })
      if (answers.length === 0) {
        const keys = `${answerKeys.slice(0, -1).join(', ')} and ${answerKeys.at(-1)}`
        issue([], `says nowhere who answers: set one of ${keys}`)
      }
      for (const key of answers.slice(1)) issue([key], `excludes ${answers[0]}: a route has one answer`)
      if (route.upstream !== undefined) return
      const changes = Object.values(route.rewrite).some((value) => value !== undefined)
      if (changes) issue(['rewrite'], 'is for routes with an upstream')
      for (const key of ['canary', 'mirror', 'fallback'] as const)
        if (route[key] !== undefined) issue([key], 'is for routes with an upstream')
      const calls = route.aggregate !== undefined || route.graphqlOperation !== undefined
      if (route.timeout !== undefined && !calls) issue(['timeout'], 'is for routes that call an upstream')
    })
}

const answerKeys = ['upstream', 'redirect', 'respond', 'aggregate', 'graphqlOperation'] as const
