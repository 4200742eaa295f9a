/** What is known of one API key, besides the key itself. Times are Unix times in milliseconds. */
export interface KeyRecord {
  /** Names the key in logs, lists and limits; no secret. */
  readonly id: string
  /** Whose key it is. */
  readonly consumer: string
  /** `sha256:` and 64 hexadecimal digits, of the whole key. */
  readonly hash: string
  /** To tell keys apart. */
  readonly name?: string | undefined
  /** How the key begins: `gwk_live_1a2b3c4d`. */
  readonly prefix?: string | undefined
  readonly createdAt?: number | undefined
  /** From then on the key is refused; never when absent. */
  readonly expiresAt?: number | undefined
  /** Since then the key is refused. */
  readonly revokedAt?: number | undefined
  /** Those of the consumer that the key has; absent: all of them. */
  readonly roles?: readonly string[] | undefined
  readonly scopes?: readonly string[] | undefined
  readonly rateLimit?: KeyRateLimit | undefined
  /** The key that took its place, when it was rotated. */
  readonly replacedBy?: string | undefined
}

/** How much one key, or all of a consumer together, may do. */
export interface KeyRateLimit {
  /** Requests per window. */
  readonly limit: number
  /** Milliseconds. */
  readonly window: number
}

/** When keys were used last: one number a key, written without waiting for anything. */
export class KeyUses {
  readonly #uses = new Map<string, KeyUse>()

  /** That of a key, made when it is first asked for. */
  of(id: string): KeyUse {
    let use = this.#uses.get(id)
    if (use === undefined) {
      use = { lastAt: 0, toldAt: 0 }
      this.#uses.set(id, use)
    }
    return use
  }

  /** Those used since they were told last, which they now are. */
  takeNews(): Map<string, number> {
    const news = new Map<string, number>()
    for (const [id, use] of this.#uses) {
      if (use.lastAt === use.toldAt) continue
      news.set(id, use.lastAt)
      use.toldAt = use.lastAt
    }
    return news
  }

  forget(id: string): void {
    this.#uses.delete(id)
  }
}

/** Unix times in milliseconds; 0: never. */
export interface KeyUse {
  lastAt: number
  toldAt: number
}
