import { z } from 'zod'
import { duration } from '../core/units.ts'
import { retryKeys, timeoutKeys } from './attempt-keys.ts'
import { object } from './declare.ts'
import { loadBalancingKeys, passiveKeys } from './load-balancing-keys.ts'
import { concurrencyKeys } from './overload-keys.ts'

/** One entry of `upstreams`. */
export const upstreamSchema = z.strictObject({
  targets: z
    .array(
      z.strictObject({
        url: z
          .string()
          .regex(/^https?:\/\/[^/?#@]+\/?$/, 'expected http://host:port or https://host:port without a path')
          .refine((url) => URL.canParse(url), 'expected http://host:port or https://host:port')
          .describe('http://host:port or https://host:port.'),
        weight: z
          .int()
          .min(0)
          .max(65_535)
          .default(100)
          .describe('Share of the traffic; 0 takes nothing new.'),
        priority: z
          .int()
          .min(0)
          .max(100)
          .default(0)
          .describe(
            'Targets of the lowest number serve; those of the next take over when none of them is healthy.',
          ),
      }),
    )
    .min(1, 'an upstream needs a target')
    .refine(
      (targets) => targets.some((target) => target.weight > 0),
      'at least one target needs a weight above 0',
    )
    .describe('The backends.'),
  loadBalancing: loadBalancingKeys,
  tls: z
    .strictObject({
      ca: z
        .string()
        .optional()
        .describe(
          'Certificates in PEM of the authorities to trust; mostly file://path. Default: those of Node.',
        ),
      serverName: z
        .string()
        .min(1)
        .optional()
        .describe("Name that the certificate must be for. Default: the URL's."),
      cert: z.string().optional().describe('Our own certificate in PEM, where the backend wants one.'),
      key: z.string().optional().describe('Its private key in PEM.'),
      insecureSkipVerify: z
        .boolean()
        .default(false)
        .describe(
          'DANGEROUS: takes any certificate, so that anybody between may read and change everything.',
        ),
    })
    .superRefine(({ cert, key }, context) => {
      if ((cert === undefined) === (key === undefined)) return
      const [there, missing] = cert === undefined ? ['key', 'cert'] : ['cert', 'key']
      context.addIssue({ code: 'custom', message: `needs ${missing} beside it`, path: [there] })
    })
    .optional()
    .describe('How https targets are verified. Default: certificates must be valid for the host.'),
  timeouts: timeoutKeys,
  retry: retryKeys,
  concurrency: concurrencyKeys,
  connections: object({
    max: z.int().min(1).default(256).describe('Connections to one target at the most.'),
    keepAlive: duration()
      .prefault('4s')
      .describe("How long an idle connection is kept; below the backend's own."),
  }).describe('Connections to each target.'),
  healthChecks: object({
    active: z
      .strictObject({
        type: z
          .enum(['http', 'grpc'])
          .default('http')
          .describe('How a target is asked: http by GET at path, grpc by grpc.health.v1.Health/Check.'),
        path: z
          .string()
          .startsWith('/')
          .default('/health')
          .describe('With type http: asked with GET; any 2xx answer is healthy.'),
        service: z
          .string()
          .default('')
          .describe('With type grpc: the service whose health is asked for; empty: the server as a whole.'),
        interval: duration().prefault('5s').describe('Between two probes.'),
        timeout: duration().prefault('2s').describe('A probe that takes longer has failed.'),
        healthyAfter: z.int().min(1).default(1).describe('Good probes in a row that bring a target back.'),
        unhealthyAfter: z.int().min(1).default(2).describe('Failed probes in a row that take a target out.'),
      })
      .optional()
      .describe('Probes; absent: targets are taken as healthy.'),
    passive: passiveKeys,
  }).describe('How the gateway learns that a target is down.'),
})
