import type { PluginDefinition } from '../pipeline/registry.ts'
import { accessLog } from './access-log.ts'
import { compression } from './compression/compression.ts'
import { concurrency } from './concurrency.ts'
import { cors } from './cors.ts'
import { fault } from './fault.ts'
import { forwardAuth } from './forward-auth/forward-auth.ts'
import { headers } from './headers.ts'
import { ipAccess } from './ip-access.ts'
import { metrics } from './metrics.ts'
import { rateLimit } from './rate-limit/rate-limit.ts'
import { requestId } from './request-id.ts'
import { securityHeaders } from './security-headers.ts'
import { threatFilter } from './threat-filter/threat-filter.ts'
import { userAgent } from './user-agent/user-agent.ts'
import { validate } from './validate/validate.ts'

/** The plugins that come with the gateway, by the names that the configuration uses. */
export const builtinPlugins: readonly PluginDefinition[] = [
  requestId,
  accessLog,
  metrics,
  cors,
  forwardAuth,
  rateLimit,
  headers,
  fault,
  compression,
  validate,
  ipAccess,
  userAgent,
  concurrency,
  securityHeaders,
  threatFilter,
]
