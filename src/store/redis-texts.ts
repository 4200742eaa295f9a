import { answered } from './answered.ts'
import type { RedisClient } from './redis.ts'

/** Texts by name that gateways share in Redis. What is not asked for in `ttlMs` is forgotten. */
export class RedisTexts {
  readonly #redis: RedisClient
  readonly #prefix: string
  readonly #ttlMs: number

  /** @param options `prefix`: of the keys, ends with a colon. */
  constructor(redis: RedisClient, options: { readonly prefix: string; readonly ttlMs: number }) {
    this.#redis = redis
    this.#prefix = options.prefix
    this.#ttlMs = options.ttlMs
  }

  /** Resolves with undefined for a name that is not known, and while Redis does not answer within 100 ms. */
  async get(name: string): Promise<string | undefined> {
    try {
      const text = await answered(this.#redis.getex(this.#prefix + name, 'PX', this.#ttlMs), withinMs)
      return text ?? undefined
    } catch {
      return undefined
    }
  }

  /** Never rejects: a text that could not be kept is sent again. */
  async set(name: string, text: string): Promise<void> {
    try {
      await answered(this.#redis.set(this.#prefix + name, text, 'PX', this.#ttlMs), withinMs)
    } catch {}
  }
}

const withinMs = 100
