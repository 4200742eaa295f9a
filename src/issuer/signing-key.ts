import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type JsonWebKey,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { promisify } from 'node:util'
import { calculateJwkThumbprint, type JWK } from 'jose'

/** What tokens can be signed with: ECDSA on P-256, Ed25519, RSA of 3,072 bits. */
export type SigningAlgorithm = 'ES256' | 'EdDSA' | 'RS256'

/** A key of the gateway's own issuer. */
export interface SigningKey {
  /** The thumbprint of the public key (RFC 7638). */
  readonly kid: string
  readonly algorithm: SigningAlgorithm
  /** From then on it signs, until the next one does; Unix time in milliseconds. */
  readonly signsFrom: number
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  /** For the published key set. */
  readonly jwk: JWK
}

/** A new key; off the event loop. */
export async function createSigningKey(algorithm: SigningAlgorithm, signsFrom: number): Promise<SigningKey> {
  return signingKey(await newPrivateKey(algorithm), algorithm, signsFrom)
}

/** A key set with private keys, and a member `signsFrom` (Unix seconds) in each, as a file holds it. */
export function writeKeySet(keys: readonly SigningKey[]): string {
  const written = keys.map(({ privateKey, jwk, signsFrom }) => ({
    ...privateKey.export({ format: 'jwk' }),
    ...jwk,
    signsFrom: signsFrom / 1_000,
  }))
  return `${JSON.stringify({ keys: written }, null, 2)}\n`
}

/** Reads what {@link writeKeySet} writes. A key without `signsFrom` signs from the beginning. Throws an Error that never quotes the text. */
export async function readKeySet(text: string): Promise<readonly SigningKey[]> {
  let keys: unknown
  try {
    keys = (JSON.parse(text) as { keys?: unknown }).keys
  } catch {
    throw new Error('is no JSON')
  }
  if (!Array.isArray(keys) || keys.length === 0) throw new Error('is no JSON Web Key Set with a key in it')
  return Promise.all(keys.map((key: JsonWebKey, index) => readKey(key, `keys[${index}]`)))
}

async function readKey(jwk: JsonWebKey, place: string): Promise<SigningKey> {
  const algorithm = algorithmOf(jwk)
  const { signsFrom = 0 } = jwk as { signsFrom?: unknown }
  if (algorithm === undefined) throw new Error(`${place} is no private key for ES256, EdDSA or RS256`)
  if (typeof signsFrom !== 'number' || !(signsFrom >= 0)) throw new Error(`${place}.signsFrom is no time`)
  let privateKey: KeyObject
  try {
    privateKey = createPrivateKey({ key: jwk, format: 'jwk' })
  } catch {
    throw new Error(`${place} is no private key that can be read`)
  }
  if (algorithm === 'RS256' && (privateKey.asymmetricKeyDetails?.modulusLength ?? 0) < 2_048)
    throw new Error(`${place} is too short: RSA keys need 2,048 bits`)
  const key = await signingKey(privateKey, algorithm, signsFrom * 1_000)
  if (!isPair(key)) throw new Error(`${place} has a private part that does not fit its public one`)
  return key
}

async function signingKey(
  privateKey: KeyObject,
  algorithm: SigningAlgorithm,
  signsFrom: number,
): Promise<SigningKey> {
  const publicKey = createPublicKey(privateKey)
  const bare = publicKey.export({ format: 'jwk' }) as JWK
  const kid = await calculateJwkThumbprint(bare)
  return {
    kid,
    algorithm,
    signsFrom,
    privateKey,
    publicKey,
    jwk: { ...bare, kid, alg: algorithm, use: 'sig' },
  }
}

/** Node takes any two parts for a key. */
function isPair({ privateKey, publicKey, algorithm }: SigningKey): boolean {
  const digest = algorithm === 'EdDSA' ? null : 'sha256'
  const message = Buffer.from('any')
  return verify(digest, message, publicKey, sign(digest, message, privateKey))
}

function algorithmOf({ kty, crv, d }: JsonWebKey): SigningAlgorithm | undefined {
  if (typeof d !== 'string') return undefined
  if (kty === 'EC' && crv === 'P-256') return 'ES256'
  if (kty === 'OKP' && crv === 'Ed25519') return 'EdDSA'
  return kty === 'RSA' ? 'RS256' : undefined
}

const generate = promisify(generateKeyPair)

async function newPrivateKey(algorithm: SigningAlgorithm): Promise<KeyObject> {
  if (algorithm === 'ES256') return (await generate('ec', { namedCurve: 'P-256' })).privateKey
  if (algorithm === 'EdDSA') return (await generate('ed25519')).privateKey
  return (await generate('rsa', { modulusLength: 3_072 })).privateKey
}
