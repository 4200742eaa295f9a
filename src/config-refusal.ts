import { ConfigError } from './config/problem.ts'
import { GatewayError } from './core/error.ts'

/** What somebody is told whose configuration does not load: INVALID_ARGUMENT with its places. Throws in any case. */
export function refuseConfig(error: unknown): never {
  if (!(error instanceof ConfigError)) throw error
  const violations = error.problems.map(({ path, message }) => ({ field: path, detail: message }))
  throw new GatewayError('INVALID_ARGUMENT', 'The configuration would not load; nothing was changed.', {
    violations,
  })
}
