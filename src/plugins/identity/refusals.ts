import { GatewayError } from '../../core/error.ts'
import type { Principal } from '../../core/principal.ts'

/** What 401 answers ask for (RFC 9110 section 11.6.1). */
export const bearerChallenge = 'Bearer realm="trivium"'
export const apiKeyChallenge = 'ApiKey realm="trivium"'

/** Nobody said who he is. RFC 6750 section 3.1: then no error code in the challenges. */
export function noCredentials(challenges: readonly string[]): GatewayError {
  const asked = challenges.length === 0 ? [bearerChallenge] : challenges
  return new GatewayError('NO_CREDENTIALS', 'Credentials are required.', {
    headers: asked.flatMap((challenge) => ['WWW-Authenticate', challenge]),
  })
}

/** The same for every key that is none of ours: one error for all, because making one costs ten times what it takes to tell junk. */
export function keyInvalid(): GatewayError {
  return invalidKey
}

const invalidKey = new GatewayError('KEY_INVALID', 'The API key is not valid.', {
  headers: ['WWW-Authenticate', apiKeyChallenge],
})

export function keyExpired(): GatewayError {
  return new GatewayError('KEY_EXPIRED', 'The API key has expired.', {
    headers: ['WWW-Authenticate', apiKeyChallenge],
  })
}

/** The same for every token that cannot be trusted; `cause` says why, to the log. */
export function jwtInvalid(cause: unknown): GatewayError {
  return new GatewayError('JWT_INVALID', 'The token is not valid.', {
    cause,
    headers: ['WWW-Authenticate', `${bearerChallenge}, error="invalid_token"`],
  })
}

export function jwtExpired(): GatewayError {
  return new GatewayError('JWT_EXPIRED', 'The token has expired.', {
    headers: [
      'WWW-Authenticate',
      `${bearerChallenge}, error="invalid_token", error_description="The token has expired"`,
    ],
  })
}

/** RFC 6750 section 3.1: a revoked token is an invalid one. */
export function tokenRevoked(): GatewayError {
  return new GatewayError('TOKEN_REVOKED', 'The token was revoked.', {
    headers: [
      'WWW-Authenticate',
      `${bearerChallenge}, error="invalid_token", error_description="The token was revoked"`,
    ],
  })
}

export function keyRevoked(): GatewayError {
  return new GatewayError('KEY_REVOKED', 'The API key was revoked.', {
    headers: ['WWW-Authenticate', apiKeyChallenge],
  })
}

/** Which keys there are was not read yet. */
export function keysUnavailable(): GatewayError {
  return new GatewayError('UNAVAILABLE', 'API keys cannot be checked at the moment.', { retryAfterMs: 1_000 })
}

/** What a caller is told whose credential was revoked, whatever kind it is of. */
export function credentialRevoked({ via }: Pick<Principal, 'via'>): GatewayError {
  if (via === 'certificate') return new GatewayError('TOKEN_REVOKED', 'The client certificate was revoked.')
  return via === 'apiKey' ? keyRevoked() : tokenRevoked()
}

export function credentialExpired({ via }: Pick<Principal, 'via'>): GatewayError {
  if (via === 'certificate') return new GatewayError('JWT_EXPIRED', 'The client certificate has expired.')
  return via === 'apiKey' ? keyExpired() : jwtExpired()
}

/** The issuer's keys are needed and cannot be fetched. */
export function issuerUnavailable(cause: unknown): GatewayError {
  return new GatewayError('UNAVAILABLE', 'The keys to check the token with are not available.', {
    cause,
    retryAfterMs: 1_000,
  })
}

/** The server that knows the token does not answer, or is not asked just now. */
export function introspectionUnavailable(cause: unknown): GatewayError {
  return new GatewayError('UNAVAILABLE', 'The server to check the token with is not available.', {
    cause,
    retryAfterMs: 1_000,
  })
}

/** Too many credentials that were not valid came from one address. */
export function tooManyAttempts(retryAfterMs: number): GatewayError {
  return new GatewayError(
    'TOO_MANY_ATTEMPTS',
    'Too many credentials that are not valid came from this address.',
    { retryAfterMs },
  )
}

export function roleMissing(): GatewayError {
  return new GatewayError('ROLE_MISSING', 'None of the roles that this needs is present.')
}

/** Claims are not named: which of them count is nobody's business who lacks them. */
export function claimMissing(): GatewayError {
  return new GatewayError('CLAIM_MISSING', 'A claim that this needs is missing or has another value.')
}

/** Keys of other consumers, and callers that are none. */
export function consumerRefused(): GatewayError {
  return new GatewayError('POLICY_REFUSED', 'This is for other consumers.')
}

/** RFC 6750 section 3.1: the challenge names the scopes that are needed; it is for those who came with a token. */
export function scopeMissing(scopes: readonly string[], via: Principal['via']): GatewayError {
  const needed = scopes.filter((scope) => scopeToken.test(scope)).join(' ')
  const challenge = `${bearerChallenge}, error="insufficient_scope", scope="${needed}"`
  const byToken = via === 'jwt' || via === 'introspection'
  return new GatewayError('SCOPE_MISSING', 'A scope that this needs is missing.', {
    headers: byToken ? ['WWW-Authenticate', challenge] : [],
  })
}

/** RFC 6749 section 3.3. */
const scopeToken = /^[!#-[\]-~]+$/
