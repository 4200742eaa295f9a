import type { Config } from './config/schema.ts'

/** Request headers that say who asks, lower case: they stay here unless a place forwards them. */
export function credentialHeaders({ auth }: Pick<Config, 'auth'>): ReadonlySet<string> {
  const { apiKeys, tokens } = auth
  // The page whose URL had the key in its query tells it in Referer.
  const referer = apiKeys.query === undefined ? [] : ['referer']
  return new Set(['authorization', 'x-api-key', apiKeys.header, tokens.header, ...referer])
}

/** Cookies that say who asks. */
export function credentialCookies({ auth }: Pick<Config, 'auth'>): readonly string[] {
  return [auth.tokens.cookie, auth.apiKeys.cookie].filter((name) => name !== undefined)
}
