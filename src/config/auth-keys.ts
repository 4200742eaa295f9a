import { apiKeyKeys, failureKeys } from './api-key-keys.ts'
import { internalTokenKeys } from './internal-token-keys.ts'
import { introspectionKeys } from './introspection-keys.ts'
import { jwtKeys, tokenPlaceKeys } from './jwt-keys.ts'
import { revocationKeys } from './revocation-keys.ts'

/** `auth`. */
export const authKeys = {
  jwt: jwtKeys,
  introspection: introspectionKeys,
  tokens: tokenPlaceKeys,
  apiKeys: apiKeyKeys,
  failures: failureKeys,
  revocation: revocationKeys,
  internalToken: internalTokenKeys,
}
