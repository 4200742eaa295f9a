import type { RouteConfig } from './config/schema.ts'
import type { Principal } from './core/exchange.ts'
import type { GraphqlOptions } from './front-ends/graphql/front-end.ts'
import { authorize } from './plugins/identity/authorize.ts'
import { noCredentials, scopeMissing } from './plugins/identity/refusals.ts'

interface AuthorizationConfig {
  readonly onRefused: 'filter' | 'refuse'
  readonly errors: 'errors' | 'extensions' | 'none'
  readonly reportOnly: boolean
  readonly policies: Readonly<Record<string, RouteConfig['authorize']>>
}

/** The authorization of GraphQL fields in the words of identity. */
export function fieldAuthorization({
  policies,
  ...refusal
}: AuthorizationConfig): GraphqlOptions['authorization'] {
  return {
    ...refusal,
    policies: new Map(Object.entries(policies).map(([name, asked]) => [name, decider(asked)])),
    challenge: (reason, { scopes }) => {
      if (reason === 'NO_CREDENTIALS') return noCredentials().headers
      return reason === 'SCOPE_MISSING' ? scopeMissing(scopes).headers : []
    },
  }
}

function decider({ roles, scopes, ...rest }: RouteConfig['authorize']): (principal: Principal) => boolean {
  // What else a caller may be asked for must be decided here, too: then this does not compile.
  rest satisfies Record<string, never>
  return (principal) => authorize(principal, { roles, scopes }) === undefined
}
