import { z } from 'zod'
import { targetShape } from '../core/target.ts'
import { upstreamOpenapiKeys } from './api-docs-keys.ts'
import { retryKeys, timeoutKeys } from './attempt-keys.ts'
import { circuitBreakerKeys } from './circuit-breaker-keys.ts'
import { clientTlsKeys } from './client-tls-keys.ts'
import { connectionKeys } from './connection-keys.ts'
import { discoveryKeys } from './discovery-keys.ts'
import { upstreamFallback } from './fallback-keys.ts'
import { healthCheckKeys } from './health-check-keys.ts'
import { loadBalancingKeys } from './load-balancing-keys.ts'
import { concurrencyKeys } from './overload-keys.ts'

/** One entry of `upstreams`. */
export const upstreamSchema = z
  .strictObject({
    targets: z
      .array(z.strictObject(targetShape))
      .min(1, 'an upstream needs a target')
      .refine(
        (targets) => targets.length === 0 || targets.some((target) => target.weight > 0),
        'at least one target needs a weight above 0',
      )
      .optional()
      .describe('The backends; or discovery finds them.'),
    discovery: discoveryKeys.optional(),
    loadBalancing: loadBalancingKeys,
    tls: clientTlsKeys
      .optional()
      .describe('How https targets are verified. Default: certificates must be valid for the host.'),
    identity: z
      .enum(['headers', 'token', 'both', 'nothing'])
      .optional()
      .describe(
        'How it is told who calls: X-User-* headers, a token (auth.internalToken), both, or not at all. Default: headers, or what auth.internalToken.send says.',
      ),
    timeouts: timeoutKeys,
    retry: retryKeys,
    concurrency: concurrencyKeys,
    circuitBreaker: circuitBreakerKeys,
    fallback: upstreamFallback,
    connections: connectionKeys,
    healthChecks: healthCheckKeys,
    openapi: upstreamOpenapiKeys.optional(),
  })
  .superRefine(({ targets, discovery, tls, retry, loadBalancing }, context) => {
    const issue = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message })
    if (targets === undefined && discovery === undefined)
      issue([], 'says nowhere what the targets are: set targets or discovery')
    if (targets !== undefined && discovery !== undefined)
      issue(['discovery'], 'excludes targets: they are listed or found')
    if (retry.hedge.after > 0) {
      const without = (message: string) => issue(['retry', 'hedge', 'after'], message)
      if (targets?.length === 1) without('needs a second target to ask')
      if (retry.attempts === 1) without('a hedge is a second try: needs retry.attempts of 2 at least')
      if (loadBalancing.sticky !== undefined)
        without('never happens with loadBalancing.sticky, which keeps clients on one target')
    }
    if (
      discovery?.type === 'dnsSrv' &&
      discovery.scheme === 'https' &&
      !tls?.serverName &&
      !tls?.insecureSkipVerify
    )
      issue(
        ['discovery', 'scheme'],
        'https needs tls.serverName: certificates are not for the addresses of SRV records',
      )
  })
