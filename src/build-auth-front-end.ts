import type { Build } from './build.ts'
import { type AuthEndpoint, AuthFrontEnd } from './front-ends/auth/front-end.ts'

/** What the gateway itself answers about identity; undefined where the configuration asks for nothing of it. */
export function buildAuthFrontEnd(_build: Build): AuthFrontEnd | undefined {
  const endpoints: readonly AuthEndpoint[] = []
  return endpoints.length === 0 ? undefined : new AuthFrontEnd(endpoints)
}
