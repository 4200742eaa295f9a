import { createSecretKey } from 'node:crypto'
import { errors, type JWTPayload, type JWTVerifyGetKey, type JWTVerifyOptions, jwtVerify } from 'jose'
import { asymmetricAlgorithms, symmetricAlgorithms } from '../../core/jws-algorithms.ts'
import type { PluginHost } from '../../pipeline/registry.ts'
import type { ClaimNames } from './claims.ts'
import { canBeAsked } from './fetch-json.ts'
import type { IssuerKeys } from './issuer-keys.ts'
import { localKeys } from './jwks.ts'
import { canDescribeItself, ProviderMetadata } from './provider-metadata.ts'
import { jwtInvalid, tokenRevoked } from './refusals.ts'
import { RemoteKeys } from './remote-keys.ts'

/**
 * Whose tokens are accepted and how they are checked. At most one of `keys`, `secret`, `jwks` and `jwksUri`; without them the issuer is asked where
 * its keys are (OpenID Connect Discovery 1.0, RFC 8414).
 */
export interface JwtOptions {
  /** The `iss` of its tokens, character by character. */
  readonly issuer: string
  /** One of them must be (among) the `aud` of its tokens. */
  readonly audience: string | readonly string[]
  /** JWS algorithms (RFC 7518) that are accepted; what a token says of itself never adds to them. */
  readonly algorithms: readonly string[]
  /** Keys that are at hand: those of the gateway's own issuer. */
  readonly keys?: IssuerKeys | undefined
  /** For HS256, HS384 and HS512: at least 32 bytes. */
  readonly secret?: string | undefined
  /** The text of a JSON Web Key Set. */
  readonly jwks?: string | undefined
  /** Where the issuer's JSON Web Key Set is. */
  readonly jwksUri?: string | undefined
  /** How often keys at an address are fetched, in milliseconds; a key that was withdrawn is good for so long. Default 30,000. */
  readonly jwksRefreshMs?: number | undefined
  /** How long keys serve on while their address cannot be reached, in milliseconds. Default 24 hours. */
  readonly jwksMaxStaleMs?: number | undefined
  /** How far the issuer's clock may be off, in milliseconds, at most 60,000. */
  readonly clockSkewMs: number
  /** How long after its `iat` a token is accepted at most, in milliseconds; one without `iat` is refused then. No limit when absent. */
  readonly maxAgeMs?: number | undefined
  /** Of the whole token. Default 8,192. */
  readonly maxBytes?: number | undefined
  /** Claims that must be there besides `iss`, `aud`, `exp` and that of the user. */
  readonly requiredClaims?: readonly string[] | undefined
  /** The `typ` of the header, `application/` left out or not (RFC 8725 section 3.11); any when absent. */
  readonly type?: string | undefined
  readonly claims?: ClaimNames | undefined
  /** Asked once for each token that is valid: whether it is accepted. Default: all are. */
  readonly accepts?: ((payload: JWTPayload) => boolean) | undefined
}

const symmetric: ReadonlySet<string> = new Set(symmetricAlgorithms)
const asymmetric: ReadonlySet<string> = new Set(asymmetricAlgorithms)
const maxClockSkewMs = 60_000
const defaultRefreshMs = 30_000
const defaultMaxStaleMs = 86_400_000
/** How many keys without a key id are tried. */
const maxCandidates = 8

/** One trusted issuer: its keys and the rules for its tokens. */
export class JwtIssuer {
  readonly options: JwtOptions
  readonly keys: IssuerKeys
  readonly #rules: JWTVerifyOptions
  readonly #now: () => number
  #refreshing: NodeJS.Timeout | undefined

  /** Throws an Error that starts with `place` when the options contradict each other. */
  constructor(options: JwtOptions, place: string, host: PluginHost) {
    this.options = options
    this.keys = keysOf(options, place, host)
    this.#now = () => host.now()
    this.#rules = {
      algorithms: [...options.algorithms],
      issuer: options.issuer,
      audience: typeof options.audience === 'string' ? options.audience : [...options.audience],
      clockTolerance: options.clockSkewMs / 1_000,
      requiredClaims: ['exp', 'iss', 'aud', ...(options.requiredClaims ?? [])],
      ...(options.maxAgeMs === undefined ? {} : { maxTokenAge: options.maxAgeMs / 1_000 }),
      ...(options.type === undefined ? {} : { typ: options.type }),
    }
  }

  /** Fetches the keys now and regularly, where they are at an address, until it is closed. */
  start(): void {
    const { keys } = this
    if (keys.refresh === undefined) return
    void keys.refresh()
    const refreshMs = this.options.jwksRefreshMs ?? defaultRefreshMs
    this.#refreshing = setInterval(() => void keys.refresh?.(), refreshMs).unref()
  }

  close(): void {
    clearInterval(this.#refreshing)
  }

  /** The Unix time in milliseconds from which on a token with these claims, which were verified, must be looked at again. */
  expiresAt({ exp = 0, iat = 0 }: JWTPayload): number {
    const { maxAgeMs = Number.POSITIVE_INFINITY, clockSkewMs } = this.options
    return Math.min(exp * 1_000, iat * 1_000 + maxAgeMs) + clockSkewMs
  }

  /** The claims of a token of this issuer; rejects with what jose, the key set or we found wrong. */
  async verify(token: string): Promise<JWTPayload> {
    const nowMs = this.#now()
    const payload = await this.#verifyAt(token, { ...this.#rules, currentDate: new Date(nowMs) })
    // A token from the future would outlive whatever ends all tokens up to now.
    if ((payload.iat ?? 0) * 1_000 > nowMs + this.options.clockSkewMs) throw jwtInvalid('iat in the future')
    if (this.options.accepts?.(payload) === false) throw tokenRevoked()
    return payload
  }

  async #verifyAt(token: string, rules: JWTVerifyOptions): Promise<JWTPayload> {
    try {
      const { payload } = await jwtVerify(token, this.keys.getKey, rules)
      return payload
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error
      return verifyWithAny(token, error, rules)
    }
  }
}

/** A token without a key id: one of the keys of its type must fit. */
async function verifyWithAny(
  token: string,
  candidates: errors.JWKSMultipleMatchingKeys,
  rules: JWTVerifyOptions,
): Promise<JWTPayload> {
  let tried = 0
  for await (const key of candidates) {
    if (++tried > maxCandidates) break
    try {
      const { payload } = await jwtVerify(token, key, rules)
      return payload
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error
    }
  }
  throw new errors.JWSSignatureVerificationFailed()
}

function keysOf(options: JwtOptions, place: string, host: PluginHost): IssuerKeys {
  const { keys, secret, jwks, jwksUri, algorithms, clockSkewMs } = options
  if (!(clockSkewMs >= 0 && clockSkewMs <= maxClockSkewMs))
    throw new Error(`${place}.clockSkew: must be 0s to 60s`)
  if (options.audience.length === 0) throw new Error(`${place}.audience: must name at least one`)
  const sources = [keys, secret, jwks, jwksUri].filter((source) => source !== undefined).length
  if (sources > 1) throw new Error(`${place}: must have at most one of secret, jwks and jwksUri`)
  const symmetricOne = algorithms.find((algorithm) => symmetric.has(algorithm))
  if (symmetricOne !== undefined && sources === 0)
    throw new Error(`${place}.algorithms: ${symmetricOne} needs \`secret\``)
  const [allowed, kind] =
    secret === undefined ? ([asymmetric, 'a key set'] as const) : ([symmetric, 'a secret'] as const)
  const wrong = algorithms.find((algorithm) => !allowed.has(algorithm))
  if (algorithms.length === 0 || wrong !== undefined) {
    const found = wrong === undefined ? '' : `, not ${wrong}`
    throw new Error(`${place}.algorithms: with ${kind} must be of ${[...allowed].join(', ')}${found}`)
  }
  if (keys !== undefined) return keys
  if (secret !== undefined) return { getKey: secretKey(secret, place), version: 0 }
  if (jwks !== undefined) return { getKey: localKeys(jwks, `${place}.jwks`), version: 0 }
  return remoteKeys(options, place, host)
}

function secretKey(secret: string, place: string): JWTVerifyGetKey {
  const bytes = Buffer.from(secret)
  if (bytes.length < 32)
    throw new Error(`${place}.secret: must have at least 32 bytes (RFC 7518 section 3.2)`)
  const key = createSecretKey(bytes)
  return async () => key
}

/** They outlive a reload: the issuer may be down just then. */
function remoteKeys(options: JwtOptions, place: string, host: PluginHost): IssuerKeys {
  const { issuer, jwksUri } = options
  const { jwksRefreshMs: refreshMs = defaultRefreshMs, jwksMaxStaleMs: maxStaleMs = defaultMaxStaleMs } =
    options
  if (jwksUri !== undefined && !canBeAsked(jwksUri))
    throw new Error(`${place}.jwksUri: must be an http(s) address, without a user name`)
  const now = (): number => host.now()
  if (jwksUri === undefined && !canDescribeItself(issuer)) {
    const message =
      'without secret, jwks and jwksUri it must be an https address, which tells where its keys are'
    throw new Error(`${place}.issuer: ${message}`)
  }
  const metadata = jwksUri === undefined ? new ProviderMetadata(issuer, now) : undefined
  const locate = async (): Promise<string> => jwksUri ?? (await metadata?.endpoint('jwks_uri')) ?? ''
  return host.keep(
    `identity.keys:${JSON.stringify([issuer, jwksUri, refreshMs, maxStaleMs])}`,
    () => new RemoteKeys({ locate, issuer, refreshMs, maxStaleMs, log: host.log, now }),
  )
}
