import type { Json } from './json.ts'

/** Where callers prove who they are; undefined: not by that. */
export interface SchemesOptions {
  readonly keys: (Places & { readonly query?: string | undefined }) | undefined
  readonly tokens: Places | undefined
  /** Whether every token is a JSON Web Token. */
  readonly areJwt: boolean
  readonly hasCertificates: boolean
}

interface Places {
  /** Lower case. */
  readonly header: string
  readonly cookie?: string | undefined
}

/** The Security Scheme Objects of what is configured, by name. */
export function securitySchemes({
  keys,
  tokens,
  areJwt,
  hasCertificates,
}: SchemesOptions): Record<string, Json> {
  const schemes: Record<string, Json> = {}
  const apiKey = (place: string, name: string, description: string): Json => ({
    type: 'apiKey',
    in: place,
    name,
    description,
  })
  if (keys !== undefined) {
    schemes.apiKey = apiKey('header', keys.header, 'The key of a consumer.')
    if (keys.query !== undefined) schemes.apiKeyQuery = apiKey('query', keys.query, 'The same in the query.')
    if (keys.cookie !== undefined)
      schemes.apiKeyCookie = apiKey('cookie', keys.cookie, 'The same in a cookie.')
  }
  if (tokens !== undefined) {
    const description = areJwt ? 'A JSON Web Token.' : 'A token of an identity provider.'
    schemes.bearer =
      tokens.header === 'authorization'
        ? { type: 'http', scheme: 'bearer', ...(areJwt && { bearerFormat: 'JWT' }), description }
        : apiKey('header', tokens.header, description)
    if (tokens.cookie !== undefined)
      schemes.tokenCookie = apiKey('cookie', tokens.cookie, 'The same in a cookie.')
  }
  if (hasCertificates)
    schemes.certificate = { type: 'mutualTLS', description: 'The certificate of a consumer.' }
  return schemes
}
