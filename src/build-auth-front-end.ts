import type { Build } from './build.ts'
import type { BackendIdentity } from './build-internal-token.ts'
import { type AuthEndpoint, AuthFrontEnd } from './front-ends/auth/front-end.ts'

/** What the gateway itself answers about identity; undefined where the configuration asks for nothing of it. */
export function buildAuthFrontEnd(_build: Build, { endpoint }: BackendIdentity): AuthFrontEnd | undefined {
  const endpoints: readonly AuthEndpoint[] = [endpoint].filter((one) => one !== undefined)
  return endpoints.length === 0 ? undefined : new AuthFrontEnd(endpoints)
}
