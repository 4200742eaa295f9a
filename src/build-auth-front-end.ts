import type { Build } from './build.ts'
import type { BuiltIssuer } from './build-issuer.ts'
import { AuthFrontEnd } from './front-ends/auth/front-end.ts'

/** What the gateway itself answers about identity; undefined where the configuration asks for nothing of it. */
export function buildAuthFrontEnd(build: Build, issuer: BuiltIssuer | undefined): AuthFrontEnd | undefined {
  const endpoints = [...(issuer?.endpoints ?? [])]
  if (endpoints.length === 0) return undefined
  const frontEnd = new AuthFrontEnd(endpoints)
  for (const row of frontEnd.rows) build.place(row, ['auth', 'issuer', 'paths'])
  return frontEnd
}
