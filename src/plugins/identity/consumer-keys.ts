import { hash, timingSafeEqual } from 'node:crypto'
import type { Principal } from '../../core/exchange.ts'
import { checkApiKeyFormat } from './api-key.ts'
import type { Consumer } from './consumer.ts'
import { survivesAsHeader } from './identity-headers.ts'
import { keyExpired, keyInvalid } from './refusals.ts'

const maxKeyLength = 512

interface KnownKey {
  /** SHA-256 of the key. */
  readonly digest: Buffer
  readonly principal: Principal
  /** Unix time in milliseconds; Infinity when the key never expires. */
  readonly expiresAt: number
}

/** All keys of all consumers. */
export class ConsumerKeys {
  /** By the digest's bytes as latin1, the cheapest text of them. */
  readonly #byDigest = new Map<string, KnownKey>()

  /** Throws an Error that names the place when a hash or date cannot be read, or two keys are the same. */
  constructor(consumers: readonly Consumer[]) {
    for (const consumer of consumers) {
      const principal = principalOf(consumer)
      consumer.keys.forEach(({ hash, expiresAt }, i) => {
        const place = `consumers "${consumer.id}" keys[${i}]`
        if (!/^sha256:[0-9a-f]{64}$/.test(hash)) {
          throw new Error(
            `${place}.hash: must be "sha256:" and the 64 hexadecimal digits of the key's SHA-256`,
          )
        }
        const digest = Buffer.from(hash.slice('sha256:'.length), 'hex')
        const text = digest.toString('latin1')
        if (this.#byDigest.has(text))
          throw new Error(`${place}.hash: another consumer or key has the same hash`)
        const expires = expiresAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(expiresAt)
        if (Number.isNaN(expires)) throw new Error(`${place}.expiresAt: "${expiresAt}" is no ISO 8601 time`)
        this.#byDigest.set(text, { digest, principal, expiresAt: expires })
      })
    }
  }

  /** Who a key belongs to. Throws KEY_INVALID, in the same words for every reason, or KEY_EXPIRED for a real key past its time. */
  verify(key: string, nowMs: number): Principal {
    if (key.length > maxKeyLength || checkApiKeyFormat(key) === 'broken') throw keyInvalid()
    const digest = hash('sha256', key, 'buffer')
    const known = this.#byDigest.get(digest.toString('latin1'))
    // The Map compares digests, which a stranger cannot steer; the second comparison keeps even that from telling anything.
    if (known === undefined || !timingSafeEqual(known.digest, digest)) throw keyInvalid()
    if (nowMs >= known.expiresAt) throw keyExpired()
    return known.principal
  }
}

function principalOf({ id, name, roles, scopes }: Consumer): Principal {
  const wrong = [id, ...roles, ...scopes].find((text) => !survivesAsHeader(text))
  if (wrong !== undefined) {
    throw new Error(
      `consumers "${id}": "${wrong}" cannot be passed on as a header (256 characters, none of control)`,
    )
  }
  return { id, ...(name === undefined ? {} : { name }), roles, scopes, consumer: id, via: 'apiKey' }
}
