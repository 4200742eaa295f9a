import { createHmac, createPrivateKey, createPublicKey, hash, type KeyObject, sign } from 'node:crypto'
import type { Principal } from '../../core/exchange.ts'

/** How the signed tokens are made that tell backends who calls. */
export interface InternalTokenOptions {
  readonly issuer: string
  readonly algorithm: InternalAlgorithm
  /** Of HS256: at least 32 bytes. */
  readonly secret?: string | undefined
  /** Of the others: the private key in PEM. */
  readonly key?: string | undefined
  /** Keys in PEM that tokens were signed with before, private or public; they are published too. */
  readonly previousKeys: readonly string[]
  readonly expiresInMs: number
}

export type InternalAlgorithm = 'HS256' | 'RS256' | 'ES256' | 'EdDSA'

/** A longer token would not fit into the headers of many backends: then it lacks the roles, or the scopes too. */
const maxBytes = 6_144

interface Made {
  readonly token: string
  /** Until then it is used again; Unix time in milliseconds. */
  readonly until: number
}

/**
 * Makes a JSON Web Token (RFC 7519) of a caller for one audience. One that is there is used again for half of its life; they are
 * kept as long as their principal is. Throws an Error that begins with the key of the configuration when key and algorithm do not fit.
 */
export class InternalTokens {
  /** The keys that verify its tokens, as JWKS (RFC 7517); none of HS256. */
  readonly publicKeys: readonly Readonly<Record<string, unknown>>[]
  readonly #options: InternalTokenOptions
  readonly #header: string
  readonly #sign: (input: string) => Buffer
  readonly #made = new WeakMap<Principal, Map<string, Made>>()

  constructor(options: InternalTokenOptions) {
    const { algorithm, secret = '', key = '', previousKeys } = options
    this.#options = options
    if (algorithm === 'HS256') {
      if (Buffer.byteLength(secret) < 32) throw new Error('secret: must have at least 32 bytes')
      this.publicKeys = []
      this.#header = encoded({ alg: algorithm, typ: 'JWT' })
      this.#sign = (input) => createHmac('sha256', secret).update(input).digest()
      return
    }
    const own = privateKey(key, algorithm)
    const published = [createPublicKey(own), ...previousKeys.map(publicKey)]
    this.publicKeys = published.map((one) => jwkOf(one, algorithm))
    this.#header = encoded({ alg: algorithm, typ: 'JWT', kid: this.publicKeys[0]?.kid })
    const digest = algorithm === 'EdDSA' ? null : 'sha256'
    this.#sign = (input) => sign(digest, Buffer.from(input), { key: own, dsaEncoding: 'ieee-p1363' })
  }

  /** The token that tells `audience` of the caller. */
  tokenFor(principal: Principal, audience: string, nowMs: number): string {
    let mine = this.#made.get(principal)
    if (mine === undefined) {
      mine = new Map()
      this.#made.set(principal, mine)
    }
    const there = mine.get(audience)
    if (there !== undefined && nowMs < there.until) return there.token
    const token = this.#make(principal, audience, Math.floor(nowMs / 1_000))
    mine.set(audience, { token, until: nowMs + this.#options.expiresInMs / 2 })
    return token
  }

  #make(principal: Principal, audience: string, now: number): string {
    const { issuer, expiresInMs } = this.#options
    const { id, name, roles, scopes, consumer, via } = principal
    const exp = now + Math.ceil(expiresInMs / 1_000)
    const who = {
      iss: issuer,
      aud: audience,
      sub: id,
      iat: now,
      exp,
      user_issuer: principal.issuer,
      name,
      consumer,
      via,
    }
    const scope = scopes.length === 0 ? undefined : scopes.join(' ')
    const whole = encoded({ ...who, roles, scope })
    const fits = (payload: string): boolean => payload.length <= maxBytes
    const payload = fits(whole)
      ? whole
      : [encoded({ ...who, scope }), encoded({ ...who, name: undefined })].find(fits)
    const input = `${this.#header}.${payload ?? encoded({ ...who, name: undefined })}`
    return `${input}.${this.#sign(input).toString('base64url')}`
  }
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

const keyTypes = { RS256: 'rsa', ES256: 'ec', EdDSA: 'ed25519' } as const

function privateKey(pem: string, algorithm: keyof typeof keyTypes): KeyObject {
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch {
    // Without the cause: it could quote the key in a log.
    throw new Error('key: is no private key in PEM')
  }
  const { asymmetricKeyType, asymmetricKeyDetails: { namedCurve, modulusLength = 0 } = {} } = key
  const fits =
    asymmetricKeyType === keyTypes[algorithm] &&
    (algorithm !== 'ES256' || namedCurve === 'prime256v1') &&
    (algorithm !== 'RS256' || modulusLength >= 2_048)
  if (!fits) throw new Error(`key: is no key for ${algorithm}`)
  return key
}

function publicKey(pem: string, index: number): KeyObject {
  try {
    return createPublicKey(pem)
  } catch {
    throw new Error(`previousKeys[${index}]: is no key in PEM`)
  }
}

/** Its id is a digest of itself, so that a new key has a new one. */
function jwkOf(key: KeyObject, algorithm: InternalAlgorithm): Readonly<Record<string, unknown>> {
  const jwk = key.export({ format: 'jwk' })
  const kid = hash('sha256', JSON.stringify(jwk), 'base64url').slice(0, 16)
  const alg =
    jwk.kty === 'EC' ? 'ES256' : jwk.kty === 'RSA' ? 'RS256' : jwk.kty === 'OKP' ? 'EdDSA' : algorithm
  return { ...jwk, kid, alg, use: 'sig' }
}
