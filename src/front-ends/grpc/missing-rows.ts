import { GatewayError } from '../../core/error.ts'
import type { FrontEnd } from '../../core/front-end.ts'
import type { Row } from '../../core/route.ts'
import { postRow } from './post-row.ts'
import type { ServiceOptions } from './service-options.ts'

/** The row of a service that its backend has not described yet: calls of it are refused for now. Its HTTP bindings are not known. */
export function missingRow({ name, policy }: ServiceOptions, frontEnd: FrontEnd): Row {
  return postRow({
    id: `${name}/*`,
    policy,
    frontEnd,
    origin: `service "${name}"`,
    serve: () => {
      throw notDescribedYet(name)
    },
  })
}

/** The refusal of a call of such a service. */
export function notDescribedYet(name: string): GatewayError {
  return new GatewayError('UNAVAILABLE', `${name} was not described by its backend yet.`, {
    retryAfterMs: 1_000,
    reached: false,
  })
}
