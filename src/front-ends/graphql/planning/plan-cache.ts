import type { Plan } from './plan.ts'

/** Plans by key, the one used longest ago forgotten first once they take more than `maxBytes` as JSON text. */
export class PlanCache {
  /** Of the JSON text of all plans and of their keys. */
  bytes = 0
  readonly #maxBytes: number
  readonly #plans = new Map<string, CachedPlan>()

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get size(): number {
    return this.#plans.size
  }

  get(key: string): Plan | undefined {
    const found = this.#plans.get(key)
    if (found === undefined) return undefined
    this.#plans.delete(key)
    this.#plans.set(key, found)
    return found.plan
  }

  /** Does not keep what is larger than an eighth of all. @param bytes Of the plan's JSON text. */
  set(key: string, plan: Plan, bytes: number): void {
    const size = bytes + key.length + entryBytes
    if (size > this.#maxBytes / 8) return
    this.#forget(key)
    this.#plans.set(key, { plan, bytes: size })
    this.bytes += size
    for (const oldest of this.#plans.keys()) {
      if (this.bytes <= this.#maxBytes) break
      this.#forget(oldest)
    }
  }

  #forget(key: string): void {
    this.bytes -= this.#plans.get(key)?.bytes ?? 0
    this.#plans.delete(key)
  }
}

interface CachedPlan {
  readonly plan: Plan
  readonly bytes: number
}

/** What an entry takes besides. */
const entryBytes = 500
