import { z } from 'zod'
import { describeAuthorization } from '../core/authorization.ts'
import type { Row } from '../core/route.ts'
import { type AskedRequest, type Explanation, refusalWords } from '../routing/explain.ts'
import { type AdminRoute, adminRoute } from './admin-route.ts'

export interface ExplainOptions {
  explain(asked: AskedRequest): Explanation
  /** The plugins of every route, in run order. */
  globalPlugins(): readonly string[]
  /** How the targets of each upstream are, by its name. */
  upstreams(): Promise<Readonly<Record<string, object>>>
}

const rowShape = z.strictObject({
  id: z.string(),
  protocol: z.string(),
  methods: z.array(z.string()).describe('Empty: every method.'),
  path: z.string(),
  to: z.string().nullable().describe('Who answers; null: the gateway itself.'),
})

const explanationShape = z.strictObject({
  taken: rowShape
    .extend({
      auth: z.enum(['required', 'optional', 'none']),
      needs: z.array(z.string()).describe('What a caller needs besides an identity.'),
      plugins: z
        .array(z.string())
        .describe(
          'The chain: those of every route, `identity`, those of the place. `cors`, `ipAccess` and `userAgent` come before identity wherever they stand.',
        ),
      targets: z.record(z.string(), z.looseObject({})).describe('The upstreams, with how their targets are.'),
    })
    .nullable()
    .describe('null: nothing takes it.'),
  status: z.int().nullable().describe('What the gateway answers when nothing takes it: 404 or 405.'),
  allowed: z.array(z.string()).describe('Methods under which the path would match.'),
  candidates: z
    .array(rowShape.extend({ refusal: z.string().nullable(), why: z.string() }))
    .describe('All whose path and host match, in the order in which they are tried.'),
})

/** `/routes:explain`: which route takes a request, and why the others do not. */
export function explainRoutes({ explain, globalPlugins, upstreams }: ExplainOptions): AdminRoute[] {
  return [
    adminRoute({
      method: 'POST',
      path: '/routes:explain',
      scope: 'read',
      writes: false,
      summary: 'Which route takes a request, and why the others do not',
      description: 'No request is made.',
      body: z.strictObject({
        method: z
          .string()
          .regex(/^[A-Za-z]{1,32}$/, 'is a method')
          .default('GET'),
        url: z
          .string()
          .regex(/^(https?:\/\/|\/)/i, 'is a path, or an http URL')
          .max(8_192),
        headers: z.record(z.string().toLowerCase(), z.string()).default({}),
      }),
      answer: explanationShape,
      async serve({ body }) {
        const { taken, candidates, allowed } = explain(body)
        const states = taken === undefined ? {} : await upstreams()
        return {
          body: {
            taken: taken === undefined ? null : shownTaken(taken, globalPlugins(), states),
            status: taken !== undefined ? null : allowed.length > 0 ? 405 : 404,
            allowed,
            candidates: candidates.map(({ row, refusal }) => ({
              ...shownRow(row),
              refusal: refusal ?? null,
              why:
                refusal !== undefined
                  ? refusalWords[refusal]
                  : row === taken
                    ? 'takes it'
                    : 'another comes first',
            })),
          },
        }
      },
    }),
  ]
}

function shownTaken(row: Row, global: readonly string[], states: Readonly<Record<string, object>>): object {
  const { auth, authorize, service, plugins } = row.policy
  const own = [...(service?.plugins ?? []), ...plugins].map(({ name }) => name)
  const named = new Set((row.leadsTo ?? '').split(/[ (),]+/))
  return {
    ...shownRow(row),
    auth,
    needs: describeAuthorization(authorize),
    plugins: [...global, ...(auth === 'none' ? [] : ['identity']), ...own],
    targets: Object.fromEntries(Object.entries(states).filter(([name]) => named.has(name))),
  }
}

function shownRow({ id, protocol, methods, template: path, leadsTo }: Row): object {
  return { id, protocol, methods, path, to: leadsTo ?? null }
}
