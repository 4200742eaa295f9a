import { z } from 'zod'
import { addressList } from '../core/address-access.ts'
import { duration } from '../core/units.ts'
import { object } from './declare.ts'

const headerName = z
  .string()
  .toLowerCase()
  .regex(/^[!#$%&'*+.^_`|~0-9a-z-]+$/, 'expected a header name')

const match = object({
  headers: z
    .record(headerName, z.string().min(1))
    .default({})
    .describe(
      'Headers that must all be there, by exact value or "*" for any; a client that sends false or never in one stays with the stable side.',
    ),
  users: z.array(z.string().min(1)).default([]).describe('Ids of callers.'),
  ips: addressList().default([]).describe('Addresses or CIDR ranges of clients.'),
  region: z
    .strictObject({
      header: headerName.describe('Where a proxy in front says where the client is.'),
      values: z.array(z.string().min(1)).min(1).describe('One of these, written alike.'),
    })
    .optional()
    .describe('Where clients are.'),
}).describe('Who is sent to the canary whatever its weight is; any one rule is enough, tried in this order.')

const steps = z
  .array(
    z.strictObject({
      weight: z.number().min(0).max(100).describe('Percent of the users on the side of the canary.'),
      hold: duration()
        .optional()
        .describe('The least time before the next step; absent: until it is promoted by hand.'),
    }),
  )
  .min(1, 'a canary needs a step')
  .superRefine((all, context) => {
    all.forEach(({ weight }, index) => {
      const before = all[index - 1]?.weight ?? -1
      if (weight > before) return
      const message = `must be above the ${before} of the step before: weights rise`
      context.addIssue({ code: 'custom', message, path: [index, 'weight'] })
    })
    if (all.at(-1)?.hold === undefined) return
    const message = 'is for the steps before the last, which stays'
    context.addIssue({ code: 'custom', message, path: [all.length - 1, 'hold'] })
  })
  .default([{ weight: 0 }])
  .describe('How it is let in, one step after the other. Default: nobody but who matches.')

/** `canary` of a route, a subgraph and a gRPC service. */
export const canaryKey = z
  .strictObject({
    upstream: z.string().describe('The new version: a name under upstreams.'),
    match,
    stickyBy: z
      .array(
        z
          .string()
          .regex(
            /^(user|ip|(header|cookie):[!#$%&'*+.^_`|~0-9A-Za-z-]+)$/,
            'expected user, ip, header:<name> or cookie:<name>',
          ),
      )
      .min(1)
      .default(['user', 'ip'])
      .describe('What a user is known by, so as to stay on one side: the first of these that a request has.'),
    steps,
    analysis: object({
      minRequests: z
        .int()
        .min(1)
        .max(100_000)
        .default(100)
        .describe('Calls of the canary in a step before anything is concluded.'),
      maxErrorRate: z.number().min(0).max(1).default(0.05).describe('Share of its calls that may fail.'),
      maxP95Ratio: z
        .number()
        .min(1)
        .default(1.5)
        .describe('How many times the p95 of the stable side that of the canary may be.'),
      p95Tolerance: duration().prefault('10ms').describe('A difference of the two that never counts.'),
    }).describe('When the canary is not well.'),
    onFailure: z
      .enum(['rollback', 'pause'])
      .default('rollback')
      .describe(
        'When it is not: everybody goes to the stable side, or the step stays for a person to decide.',
      ),
  })
  .refine(
    ({ match: { headers, users, ips, region }, steps }) =>
      steps.some(({ weight }) => weight > 0) ||
      region !== undefined ||
      Object.keys(headers).length + users.length + ips.length > 0,
    'nobody would get the new version: set match, or steps with a weight above 0',
  )
  .optional()
  .describe('A new version that takes a share of the calls (docs/canary.md). Default: none.')

export type CanaryConfig = NonNullable<z.output<typeof canaryKey>>
