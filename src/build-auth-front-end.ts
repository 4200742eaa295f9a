import type { Build } from './build.ts'
import { buildAuthCheck, type Deciders } from './build-auth-check.ts'
import type { BackendIdentity } from './build-internal-token.ts'
import type { BuiltIssuer } from './build-issuer.ts'
import { AuthFrontEnd } from './front-ends/auth/front-end.ts'

/** What has endpoints of its own. */
export interface AuthParts {
  readonly issuer: BuiltIssuer | undefined
  readonly told: BackendIdentity
  /** Those who know whether a request would be let in. */
  readonly deciders: Deciders
}

/** What the gateway itself answers about identity; undefined where the configuration asks for nothing of it. */
export function buildAuthFrontEnd(build: Build, parts: AuthParts): AuthFrontEnd | undefined {
  const { issuer, told, deciders } = parts
  const own = [told.endpoint, buildAuthCheck(build, deciders)].filter((one) => one !== undefined)
  const endpoints = [...(issuer?.endpoints ?? []), ...own]
  if (endpoints.length === 0) return undefined
  const frontEnd = new AuthFrontEnd(endpoints)
  for (const row of frontEnd.rows) build.place(row, [...row.origin.split('.'), 'path'].slice(0, 3))
  return frontEnd
}
