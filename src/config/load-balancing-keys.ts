import { z } from 'zod'
import { duration } from '../core/units.ts'
import { object } from './declare.ts'

/** A cookie by which a client comes back to its target; browsers drop what breaks the rules that are checked here. */
const stickyCookie = z
  .strictObject({
    name: z
      .string()
      .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'a cookie is named by a token (RFC 6265 section 4.1.1)')
      .describe('Name of the cookie.'),
    secret: z
      .string()
      .min(16, 'expected at least 16 characters')
      .describe('Key of the hash that stands for a target; the same on all gateways that share clients.'),
    path: z
      .string()
      .regex(/^\/[\x20-\x3a\x3c-\x7e]*$/, 'expected a path that begins with "/" and has no ";"')
      .default('/')
      .describe('Where browsers send it.'),
    secure: z.boolean().default(true).describe('Whether browsers send it over https only.'),
    httpOnly: z.boolean().default(true).describe('Whether scripts cannot read it.'),
    sameSite: z
      .enum(['Strict', 'Lax', 'None'])
      .default('Lax')
      .describe('When other sites make browsers send it.'),
    maxAge: duration()
      .optional()
      .describe('How long it is kept, at least 1s. Default: until the browser closes.'),
  })
  .refine(({ secure, sameSite }) => secure || sameSite !== 'None', 'sameSite: None needs secure: true')
  .refine(
    ({ secure, name }) => secure || !/^__(Host|Secure)-/i.test(name),
    'this prefix of the name needs secure: true',
  )
  .refine(
    ({ path, name }) => path === '/' || !/^__Host-/i.test(name),
    'a name with the prefix __Host- needs path: /',
  )
  .refine(({ maxAge }) => maxAge === undefined || maxAge >= 1_000, 'maxAge must be 1s at least')

/** `loadBalancing` of an upstream. */
export const loadBalancingKeys = object({
  policy: z
    .enum(['roundRobin', 'random', 'leastConnections', 'consistentHash', 'p2c', 'peakEwma'])
    .default('roundRobin')
    .describe(
      'How a target is chosen, always by weight: in turn (smooth), at random, the one with the least calls, the same for the same key, the less busy of two random ones, the one of two that is likely to answer first.',
    ),
  hashOn: z
    .array(
      z
        .string()
        .regex(
          /^(ip|user|path|(header|cookie|query):[!#$%&'*+.^_`|~0-9A-Za-z-]+)$/,
          'expected header:<name>, cookie:<name>, query:<name>, ip, user or path',
        ),
    )
    .min(1)
    .default(['user', 'ip'])
    .describe(
      'With consistentHash: what is hashed, the first of these that a request has; without any the target is random.',
    ),
  slowStart: duration()
    .prefault('0s')
    .describe(
      'How long a target that came back takes to get its full share, from a tenth of it; 0s: at once.',
    ),
  panicThreshold: z
    .int()
    .min(0)
    .max(100)
    .default(0)
    .describe('Percent of the targets; when fewer are healthy, health is ignored. 0: never.'),
  sticky: z
    .strictObject({ cookie: stickyCookie.describe('The cookie that names the target.') })
    .optional()
    .describe('Clients come back to the target that they had, as long as it is healthy.'),
}).describe('Which target takes a call.')
