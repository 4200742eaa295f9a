import { z } from 'zod'
import { duration } from '../core/units.ts'
import { object } from './declare.ts'

const status = z.union([z.int(), z.string()]).refine((written) => {
  const [, from = '', to = from] = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(String(written)) ?? []
  return from !== '' && from <= to
}, 'expected a status such as 204, or a range such as "200-299"')

/** `healthChecks.active` of an upstream. */
const activeKeys = z
  .strictObject({
    type: z
      .enum(['http', 'grpc', 'tcp'])
      .default('http')
      .describe(
        'How a target is asked: http by a request to path, grpc by grpc.health.v1.Health/Check, tcp by a connection, which is closed at once.',
      ),
    path: z.string().startsWith('/').default('/health').describe('With type http: what is asked for.'),
    method: z.enum(['GET', 'HEAD']).default('GET').describe('With type http: how.'),
    headers: z
      .record(
        z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'a header is named by a token (RFC 9110)'),
        z.string().regex(/^[\t\x20-\x7e]*$/, 'expected visible ASCII'),
      )
      .default({})
      .describe('With type http: headers of the request, Host among them where targets want a name.'),
    statuses: z
      .array(status)
      .min(1)
      .default(['200-299'])
      .describe(
        'With type http: what a healthy target answers, numbers and ranges. Redirects are not followed.',
      ),
    body: z
      .string()
      .min(1)
      .optional()
      .describe("With type http: what the answer's first 64 kb must contain. Default: any body will do."),
    service: z
      .string()
      .default('')
      .describe('With type grpc: the service whose health is asked for; empty: the server as a whole.'),
    interval: duration().prefault('5s').describe('Between two probes.'),
    timeout: duration().prefault('2s').describe('A probe that takes longer has failed, its body included.'),
    healthyAfter: z.int().min(1).default(1).describe('Good probes in a row that bring a target back.'),
    unhealthyAfter: z.int().min(1).default(2).describe('Failed probes in a row that take a target out.'),
  })
  .refine(({ method, body }) => method === 'GET' || body === undefined, {
    path: ['body'],
    message: 'is for method GET: an answer to HEAD has none',
  })

/** `healthChecks.passive` of an upstream. */
const passiveKeys = object({
  consecutiveErrors: z
    .int()
    .min(0)
    .default(5)
    .describe('Failures and 5xx answers in a row that eject a target; 0: never.'),
  ejectFor: duration()
    .prefault('30s')
    .describe('For the first time; times two for the second in a row, and so on.'),
  maxEjectFor: duration().prefault('5m').describe('At the most.'),
  maxEjectedPercent: z
    .int()
    .min(0)
    .max(100)
    .default(50)
    .describe('Share of the targets that may be ejected at a time.'),
}).describe('Targets that fail calls are left out for a while.')

/** `healthChecks` of an upstream. */
export const healthCheckKeys = object({
  active: activeKeys.optional().describe('Probes; absent: targets are taken as healthy.'),
  passive: passiveKeys,
}).describe('How the gateway learns that a target is down.')
