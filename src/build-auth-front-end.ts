import type { Build } from './build.ts'
import { buildAuthCheck, type Deciders } from './build-auth-check.ts'
import { AuthFrontEnd } from './front-ends/auth/front-end.ts'

/** What the gateway itself answers about identity; undefined where the configuration asks for nothing of it. */
export function buildAuthFrontEnd(build: Build, deciders: Deciders): AuthFrontEnd | undefined {
  const endpoints = [buildAuthCheck(build, deciders)].filter((endpoint) => endpoint !== undefined)
  if (endpoints.length === 0) return undefined
  const frontEnd = new AuthFrontEnd(endpoints)
  for (const row of frontEnd.rows) build.place(row, [...row.origin.split('.'), 'path'])
  return frontEnd
}
