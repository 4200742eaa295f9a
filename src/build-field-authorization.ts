import type { RouteConfig } from './config/schema.ts'
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
    policies: new Map(
      Object.entries(policies).map(([name, asked]) => [
        name,
        (principal) => authorize(principal, asked) === undefined,
      ]),
    ),
    challenge: (reason, { scopes }) => {
      if (reason === 'NO_CREDENTIALS') return noCredentials().headers
      return reason === 'SCOPE_MISSING' ? scopeMissing(scopes).headers : []
    },
  }
}
