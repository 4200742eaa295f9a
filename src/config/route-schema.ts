import { z } from 'zod'
import { duration, size } from '../core/units.ts'
import { name, object, template } from './declare.ts'
import { mirrorKey } from './mirror-keys.ts'
import { type PluginListSchema, policyKeys } from './policy-keys.ts'
import { pathText, queryChanges, redirectSchema, respondSchema } from './route-answer.ts'

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
        .describe('Who answers: a name under upstreams; or the gateway itself, by redirect or respond.'),
      mirror: mirrorKey,
      redirect: redirectSchema.optional().describe('Answers with the address of another place.'),
      respond: respondSchema.optional().describe('Answers without an upstream.'),
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
        .describe("Time to the head of the answer, instead of the upstream's timeouts.request."),
      bodyBytes: size().optional().describe('Largest request body, instead of server.limits.bodyBytes.'),
      encodedSlash: z
        .boolean()
        .default(false)
        .describe('Whether %2F and %5C inside a segment are accepted (else 404).'),
      ...policyKeys(uses),
    })
    .superRefine((route, context) => {
      const answers = (['upstream', 'redirect', 'respond'] as const).filter((key) => route[key] !== undefined)
      const issue = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message })
      if (answers.length === 0)
        issue([], 'says nowhere who answers: set one of upstream, redirect and respond')
      for (const key of answers.slice(1)) issue([key], `excludes ${answers[0]}: a route has one answer`)
      if (route.upstream !== undefined) return
      const changes = Object.values(route.rewrite).some((value) => value !== undefined)
      if (changes) issue(['rewrite'], 'is for routes with an upstream')
      for (const key of ['timeout', 'mirror'] as const)
        if (route[key] !== undefined) issue([key], 'is for routes with an upstream')
    })
}
