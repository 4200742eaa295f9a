import { hash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

/**
 * A new key `gwk_<env>_<random>_<crc32>`: a prefix for secret scanners, 192 random bits, and a checksum by which junk is told
 * without a look-up. `env` is `live`, `test` or the like, lower-case letters and digits, at most 16; throws when it is not.
 */
export function createApiKey(env: string): string {
  if (!/^[a-z0-9]{1,16}$/.test(env)) {
    throw new Error('the environment of a key has 1 to 16 lower-case letters or digits')
  }
  const body = `gwk_${env}_${randomBytes(24).toString('hex')}`
  return `${body}_${checksum(body)}`
}

/**
 * What the text of a key says of itself: `own` is one of {@link createApiKey}, `broken` claims to be one but its shape or checksum
 * is wrong, `foreign` was made elsewhere and can only be looked up.
 */
export function checkApiKeyFormat(key: string): 'own' | 'broken' | 'foreign' {
  if (!key.startsWith('gwk_')) return 'foreign'
  if (!/^gwk_[a-z0-9]{1,16}_[0-9a-f]{48}_[0-9a-f]{8}$/.test(key)) return 'broken'
  // As numbers, because making the text of one costs more than the checksum.
  return crc32(key.slice(0, -9)) === Number.parseInt(key.slice(-8), 16) ? 'own' : 'broken'
}

/** The beginning of a key of ours, by which people and secret scanners tell it: `gwk_live_1a2b3c4d`. */
export function keyPrefix(key: string): string {
  return key.slice(0, key.lastIndexOf('_', key.length - 10) + 9)
}

/** `sha256:` and 64 hexadecimal digits: how a key is configured and stored. */
export function hashApiKey(key: string): string {
  return `sha256:${hash('sha256', key)}`
}

function checksum(body: string): string {
  return crc32(body).toString(16).padStart(8, '0')
}
