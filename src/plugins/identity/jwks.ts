import { createPublicKey, type JsonWebKey } from 'node:crypto'
import { createLocalJWKSet, createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from 'jose'
import { issuerUnavailable } from './refusals.ts'

const cooldownMs = 30_000
const timeoutMs = 2_000
const maxAgeMs = 600_000
/** After a failed fetch: how long until the next one, without and with keys from before. */
const retryWithoutKeysMs = 1_000
const retryWithKeysMs = 30_000

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

/**
 * The keys at an issuer's address: fetched on first use, again after ten minutes, and for an unknown key id at most every 30 s. While the
 * issuer cannot be reached the keys from before serve on; a token that needs others is refused with UNAVAILABLE.
 */
export function remoteKeys(address: string, now: () => number): JWTVerifyGetKey {
  let retryAt = 0
  const { host } = new URL(address)
  const remote = createRemoteJWKSet(new URL(address), {
    cooldownDuration: cooldownMs,
    timeoutDuration: timeoutMs,
    cacheMaxAge: maxAgeMs,
    [customFetch]: async (url, init) => {
      if (now() < retryAt) throw new Error(`the key set at ${host} failed a moment ago`)
      try {
        const response = await fetch(url, init)
        if (response.status !== 200)
          throw new Error(`the key set at ${host} answered with status ${response.status}`)
        // Read here, so that a body that never ends or is no JSON counts as a failure too.
        return Response.json(await response.json())
      } catch (error) {
        retryAt = now() + (remote.jwks() === undefined ? retryWithoutKeysMs : retryWithKeysMs)
        throw error
      }
    },
  })
  return async (header, token) => {
    try {
      return await remote(header, token)
    } catch (error) {
      if (isAnswer(error)) throw error
      const before = remote.jwks()
      if (before === undefined) throw issuerUnavailable(error)
      try {
        return await createLocalJWKSet(before)(header, token)
      } catch (second) {
        throw second instanceof errors.JWKSMultipleMatchingKeys ? second : issuerUnavailable(error)
      }
    }
  }
}

/** The key set was there and said no (or that several keys may fit). */
function isAnswer(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  )
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
