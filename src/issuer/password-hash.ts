import { type Argon2Parameters, argon2, randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

/** What is kept of a password: how it was hashed, and what came out. */
export type PasswordHash = ScryptHash | Argon2Hash

interface Stored {
  readonly salt: Buffer
  readonly digest: Buffer
}

/** RFC 7914. */
interface ScryptHash extends Stored {
  readonly algorithm: 'scrypt'
  /** N is two to the power of this. */
  readonly ln: number
  readonly r: number
  readonly p: number
}

/** Argon2id of version 1.3 (RFC 9106). */
interface Argon2Hash extends Stored {
  readonly algorithm: 'argon2id'
  /** KiB of memory. */
  readonly m: number
  /** Passes. */
  readonly t: number
  readonly p: number
}

/** N = 2^17, r = 8, p = 1: 128 MiB and some 0.3 s (OWASP Password Storage Cheat Sheet). */
const usual = { algorithm: 'scrypt', ln: 17, r: 8, p: 1 } as const
/** The most memory that one verification may take: so much times `hashing.atOnce` is what logins can take of the process. */
const maxBytes = 268_435_456

/** A hash of a password that was prepared, with a new salt; off the event loop. */
export async function hashPassword(password: string): Promise<PasswordHash> {
  const empty = { ...usual, salt: randomBytes(16), digest: Buffer.alloc(32) }
  return { ...empty, digest: await digestOf(password, empty) }
}

/** Whether a hash is that of a password that was prepared; off the event loop, in constant time of the comparison. */
export async function isPasswordOf(hash: PasswordHash, password: string): Promise<boolean> {
  return timingSafeEqual(await digestOf(password, hash), hash.digest)
}

/** One that is as costly to check as another, and fits no password. */
export function unfittingHash(like: PasswordHash | undefined): PasswordHash {
  const cost = like ?? { ...usual, salt: Buffer.alloc(16), digest: Buffer.alloc(32) }
  return { ...cost, salt: randomBytes(cost.salt.length), digest: randomBytes(cost.digest.length) }
}

/** The parameters alone, as they are written: those who have the same take the same time. */
export function costOf(hash: PasswordHash): string {
  if (hash.algorithm === 'scrypt') return `$scrypt$ln=${hash.ln},r=${hash.r},p=${hash.p}`
  return `$argon2id$v=19$m=${hash.m},t=${hash.t},p=${hash.p}`
}

/** `$scrypt$ln=17,r=8,p=1$salt$digest` (PHC string format). */
export function writePasswordHash(hash: PasswordHash): string {
  return `${costOf(hash)}$${unpadded(hash.salt)}$${unpadded(hash.digest)}`
}

/**
 * Reads what {@link writePasswordHash} writes, and Argon2id in the same format. Throws an Error in words for whoever wrote the configuration when
 * it is none, guessing would be too cheap, or checking it could take too much of the gateway.
 */
export function parsePasswordHash(text: string): PasswordHash {
  const found = shape.exec(text)?.groups
  if (found === undefined)
    throw new Error(
      'must be a hash in PHC format, $scrypt$ln=17,r=8,p=1$... or $argon2id$v=19$m=...; `gateway users hash` prints one',
    )
  const salt = Buffer.from(found.salt ?? '', 'base64')
  const digest = Buffer.from(found.digest ?? '', 'base64')
  if (salt.length < 8 || salt.length > 64) throw new Error('must have a salt of 8 to 64 bytes')
  if (digest.length < 16 || digest.length > 64) throw new Error('must have a digest of 16 to 64 bytes')
  return found.ln === undefined
    ? checkedArgon2({ algorithm: 'argon2id', ...numbers(found, ['m', 't', 'q']), salt, digest })
    : checkedScrypt({ algorithm: 'scrypt', ...numbers(found, ['ln', 'r', 'p']), salt, digest })
}

const shape =
  /^\$(?:scrypt\$ln=(?<ln>\d{1,2}),r=(?<r>\d{1,3}),p=(?<p>\d{1,3})|argon2id\$v=19\$m=(?<m>\d{1,7}),t=(?<t>\d{1,3}),p=(?<q>\d{1,2}))\$(?<salt>[A-Za-z0-9+/]+)\$(?<digest>[A-Za-z0-9+/]+)$/

/** The floor is what Node takes when it is told nothing (N = 2^14, r = 8). */
function checkedScrypt(hash: ScryptHash): ScryptHash {
  const { ln, r, p } = hash
  const bytes = 128 * 2 ** ln * r
  if (bytes < 16_777_216 || r < 1 || p < 1)
    throw new Error('is too weak: scrypt needs ln=14,r=8,p=1 at least')
  if (bytes > maxBytes || bytes * p > 4 * maxBytes)
    throw new Error('is too costly to check: scrypt may take 256 MiB, as ln=18,r=8,p=1 does')
  return hash
}

/** The floor is the weakest setting of the OWASP Password Storage Cheat Sheet, whose settings are equally strong. */
function checkedArgon2(hash: Argon2Hash): Argon2Hash {
  const { m, t, p } = hash
  if (m < 7_168 || m * t < 35_840 || p < 1)
    throw new Error('is too weak: argon2id needs m=19456,t=2,p=1, or m=7168,t=5,p=1 at least')
  if (m * 1_024 > maxBytes || m * t > 1_048_576 || p > 16)
    throw new Error('is too costly to check: argon2id may take m=262144,t=4,p=16')
  return hash
}

const runScrypt = promisify(
  (
    password: string,
    { salt, digest, ln, r, p }: ScryptHash,
    done: (error: Error | null, key: Buffer) => void,
  ) =>
    scrypt(password, salt, digest.length, { N: 2 ** ln, r, p, maxmem: 2 * maxBytes }, (error, key) =>
      done(error, key),
    ),
)
const runArgon2 = promisify(
  (parameters: Argon2Parameters, done: (error: Error | null, key: Buffer) => void) =>
    argon2('argon2id', parameters, done),
)

function digestOf(password: string, hash: PasswordHash): Promise<Buffer> {
  if (hash.algorithm === 'scrypt') return runScrypt(password, hash)
  const { m: memory, t: passes, p: parallelism, salt: nonce, digest } = hash
  return runArgon2({ message: password, nonce, parallelism, memory, passes, tagLength: digest.length })
}

/** Parallelism is called `p` by both. */
function numbers<K extends string>(
  found: Readonly<Record<string, string>>,
  names: readonly K[],
): Record<K extends 'q' ? 'p' : K, number> {
  return Object.fromEntries(names.map((name) => [name === 'q' ? 'p' : name, Number(found[name])])) as never
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}
