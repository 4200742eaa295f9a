import { createHash } from 'node:crypto'
import { GatewayError } from '../../../core/error.ts'
import { BoundedCache, type CacheLimits } from '../bounded-cache.ts'

/** Where gateways share texts; neither rejects. */
export interface SharedTexts {
  get(name: string): Promise<string | undefined>
  set(name: string, text: string): Promise<void>
}

/**
 * Automatic persisted queries, as Apollo's clients know them: an operation is asked for by the SHA-256 of its text, and sent once in full, with the
 * hash, when the gateway does not know it.
 */
export class PersistedQueries {
  readonly #own: BoundedCache<string>
  readonly #shared: SharedTexts | undefined

  constructor(limits: CacheLimits, shared?: SharedTexts) {
    this.#own = new BoundedCache(limits)
    this.#shared = shared
  }

  /** The text under a hash. Rejects with PERSISTED_QUERY_NOT_FOUND. */
  async find(hash: string): Promise<string> {
    const own = this.#own.get(hash)
    if (own !== undefined) return own
    const shared = isHash(hash) ? await this.#shared?.get(hash) : undefined
    // Whoever else may write there cannot say what a hash stands for.
    if (shared === undefined || hashOf(shared) !== hash) throw notFound()
    this.#own.set(hash, shared, sizeOf(shared))
    return shared
  }

  /** Throws INVALID_ARGUMENT for a text that has another hash. */
  check(hash: string, text: string): void {
    if (this.#own.get(hash) !== text && hashOf(text) !== hash)
      throw new GatewayError(
        'INVALID_ARGUMENT',
        '"sha256Hash" is not the SHA-256 of "query", in hexadecimal digits.',
      )
  }

  /** Keeps a text that was checked, once it is known to be good. */
  keep(hash: string, text: string): void {
    if (this.#own.get(hash) === text) return
    this.#own.set(hash, text, sizeOf(text))
    void this.#shared?.set(hash, text)
  }
}

/** Apollo's clients look for these words. */
function notFound(): GatewayError {
  return new GatewayError('PERSISTED_QUERY_NOT_FOUND', 'PersistedQueryNotFound')
}

/** Tells Apollo's clients to stop sending hashes. */
export function notSupported(): GatewayError {
  return new GatewayError('PERSISTED_QUERY_NOT_FOUND', 'PersistedQueryNotSupported')
}

/** What a text takes in memory, about: V8 has one byte for each character of most, two for each of the others. */
function sizeOf(text: string): number {
  return Buffer.byteLength(text) + 100
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function isHash(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text)
}
