import { checkRequest } from './authorization-check.ts'
import type { Build } from './build.ts'
import { asksForSomething } from './core/authorization.ts'
import { messageOf } from './core/message-of.ts'
import { Mistake } from './core/mistake.ts'
import { openPolicy } from './core/policy.ts'
import type { Policy } from './core/route.ts'
import { checkEndpoint } from './front-ends/auth/check-endpoint.ts'
import type { AuthEndpoint } from './front-ends/auth/front-end.ts'
import type { Plan } from './listener/listener.ts'
import { compileAuthorization } from './plugins/identity/authorize.ts'
import type { Identity } from './plugins/identity/identity.ts'
import { roleMissing } from './plugins/identity/refusals.ts'
import { rateLimit } from './plugins/rate-limit/rate-limit.ts'
import type { RoutingTable } from './routing/table.ts'

/** Who decides about the requests of a configuration. */
export interface Deciders {
  readonly identity: Identity
  /** Not to be called before it takes requests. */
  table(): RoutingTable<Plan>
}

/** The endpoint that tells whether a request would be let in; undefined where the configuration has none. */
export function buildAuthCheck(build: Build, { identity, table }: Deciders): AuthEndpoint | undefined {
  const { auth, plugins } = build.config
  if (auth.check === undefined) return undefined
  const { path, authorize, perMinute } = auth.check
  const limit = { name: 'auth-check', limit: perMinute, window: '1m', by: 'user' }
  const limits = [{ name: rateLimit.name, options: rateLimit.options.parse(limit) }]
  const policy: Policy = { ...openPolicy('auth-check', limits), auth: 'required' }
  const othersRefused = compiled(build)
  const shared = plugins.map(({ name }) => name)
  const placeOf = (row: Parameters<Build['host']>[0]) => build.host(row).place
  return checkEndpoint({
    path,
    policy,
    mayAskAboutOthers: (x) =>
      x.principal === undefined || !asksForSomething(authorize)
        ? roleMissing()
        : othersRefused(x.principal, x),
    check: (x, question) =>
      checkRequest(x, question, {
        table: table(),
        identity,
        apiKeyHeader: auth.apiKeys.header,
        tokenHeader: auth.tokens.header,
        shared,
        placeOf,
      }),
  })
}

function compiled(build: Build): ReturnType<typeof compileAuthorization> {
  const { authorize = { roles: [], scopes: [] } } = build.config.auth.check ?? {}
  try {
    return compileAuthorization(authorize, build.textPlace('rest', undefined))
  } catch (error) {
    const path = error instanceof Mistake ? error.path : []
    throw build.error(['auth', 'check', 'authorize', ...path], messageOf(error))
  }
}
