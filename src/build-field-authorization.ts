import type { Build } from './build.ts'
import type { GraphqlConfig } from './config/schema.ts'
import type { Exchange } from './core/exchange.ts'
import { messageOf } from './core/message-of.ts'
import { Mistake } from './core/mistake.ts'
import type { Principal } from './core/principal.ts'
import type { GraphqlOptions } from './front-ends/graphql/graphql-options.ts'
import { compileAuthorization } from './plugins/identity/authorize.ts'
import type { Identity } from './plugins/identity/identity.ts'
import { noCredentials, scopeMissing } from './plugins/identity/refusals.ts'

type AuthorizationConfig = GraphqlConfig['authorization']

/** The authorization of GraphQL fields in the words of identity. */
export function fieldAuthorization(
  build: Build,
  { policies, ...refusal }: AuthorizationConfig,
  identity: Identity,
): GraphqlOptions['authorization'] {
  return {
    ...refusal,
    policies: new Map(Object.entries(policies).map(([name, asked]) => [name, policy(build, name, asked)])),
    challenge: (reason, { scopes, principal }) => {
      if (reason === 'NO_CREDENTIALS') return noCredentials(identity.challenges).headers
      if (reason !== 'SCOPE_MISSING' || principal === undefined) return []
      return scopeMissing(scopes, principal.via).headers
    },
  }
}

function policy(
  build: Build,
  name: string,
  asked: AuthorizationConfig['policies'][string],
): (principal: Principal, x: Exchange) => boolean {
  try {
    const refusalOf = compileAuthorization(asked, build.textPlace('graphql', undefined))
    return (principal, x) => refusalOf(principal, x) === undefined
  } catch (error) {
    const path = error instanceof Mistake ? error.path : []
    throw build.error(['graphql', 'authorization', 'policies', name, ...path], messageOf(error))
  }
}
