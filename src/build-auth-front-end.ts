import type { Build } from './build.ts'
import type { BackendIdentity } from './build-internal-token.ts'
import type { BuiltIssuer } from './build-issuer.ts'
import { AuthFrontEnd } from './front-ends/auth/front-end.ts'

/** What has endpoints of its own. */
export interface AuthParts {
  readonly issuer: BuiltIssuer | undefined
  readonly told: BackendIdentity
}

/** What the gateway itself answers about identity; undefined where the configuration asks for nothing of it. */
export function buildAuthFrontEnd(build: Build, { issuer, told }: AuthParts): AuthFrontEnd | undefined {
  const endpoints = [...(issuer?.endpoints ?? []), told.endpoint].filter((one) => one !== undefined)
  if (endpoints.length === 0) return undefined
  const frontEnd = new AuthFrontEnd(endpoints)
  for (const row of frontEnd.rows) build.place(row, row.origin.split('.').slice(0, 3))
  return frontEnd
}
