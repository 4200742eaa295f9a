import { createPublicKey, type JsonWebKey } from 'node:crypto'
import { createLocalJWKSet, type JWTVerifyGetKey } from 'jose'

/**
 * The keys of a JSON Web Key Set in a file (RFC 7517). Throws an Error that starts with `place` when it cannot be read, holds no key, a
 * secret or private one, or RSA below 2,048 bits (RFC 7518 section 3.3).
 */
export function localKeys(text: string, place: string): JWTVerifyGetKey {
  const keys = parseKeys(text)
  if (keys === undefined || keys.length === 0)
    throw new Error(`${place}: must be a JSON Web Key Set with a key in it`)
  keys.forEach((jwk, i) => {
    const problem = publicKeyProblem(jwk)
    if (problem !== undefined) throw new Error(`${place}: keys[${i}] ${problem}`)
  })
  return createLocalJWKSet({ keys: keys.map((jwk) => ({ ...jwk, kty: String(jwk.kty) })) })
}

function parseKeys(text: string): readonly JsonWebKey[] | undefined {
  try {
    const { keys } = JSON.parse(text) as { keys?: unknown }
    return Array.isArray(keys) ? keys : undefined
  } catch {
    return undefined
  }
}

function publicKeyProblem(jwk: JsonWebKey): string | undefined {
  if (jwk.kty === 'oct') return 'is a secret; a key set holds public keys'
  if (jwk.d !== undefined) return 'is a private key; a key set holds public keys'
  try {
    const key = createPublicKey({ key: jwk, format: 'jwk' })
    if (key.asymmetricKeyType !== 'rsa') return undefined
    const bits = key.asymmetricKeyDetails?.modulusLength ?? 0
    return bits < 2_048 ? `has ${bits} bits; RSA keys need 2,048` : undefined
  } catch {
    return 'is no public key that can be read'
  }
}
