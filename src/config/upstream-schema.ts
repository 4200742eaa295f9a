import { z } from 'zod'
import { targetShape } from '../core/target.ts'
import { duration } from '../core/units.ts'
import { retryKeys, timeoutKeys } from './attempt-keys.ts'
import { object } from './declare.ts'
import { healthCheckKeys } from './health-check-keys.ts'
import { loadBalancingKeys } from './load-balancing-keys.ts'

/** One entry of `upstreams`. */
export const upstreamSchema = z.strictObject({
  targets: z
    .array(z.strictObject(targetShape))
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
  connections: object({
    max: z.int().min(1).default(256).describe('Connections to one target at the most.'),
    keepAlive: duration()
      .prefault('4s')
      .describe("How long an idle connection is kept; below the backend's own."),
  }).describe('Connections to each target.'),
  healthChecks: healthCheckKeys,
})
