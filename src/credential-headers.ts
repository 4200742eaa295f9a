import type { Config } from './config/schema.ts'

/** Request headers that say who asks, lower case: they stay here unless a place forwards them. */
export function credentialHeaders({ auth }: Pick<Config, 'auth'>): ReadonlySet<string> {
  return new Set(['authorization', 'x-api-key', auth.apiKeys.header, auth.tokens.header])
}

/** Cookies that say who asks. */
export function credentialCookies({ auth }: Pick<Config, 'auth'>): readonly string[] {
  return auth.tokens.cookie === undefined ? [] : [auth.tokens.cookie]
}
