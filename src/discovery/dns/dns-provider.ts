import { setTimeout as delay } from 'node:timers/promises'
import { causeOf } from '../../core/cause-of.ts'
import type { Target } from '../../core/target.ts'
import type { Finding, Provider } from '../provider.ts'

/** What a look-up found, and for how long it holds. */
export interface Lookup {
  readonly targets: readonly Target[]
  readonly ttlSeconds: number
  /** What was left out, each with the reason. */
  readonly skipped?: readonly string[]
}

export interface DnsProviderOptions {
  /** Rejects with an Error that says why there is no answer. */
  lookup(): Promise<Lookup>
  /** Bounds of the time to the next look-up, in milliseconds: the TTL decides between them. After a failure it is the lower one, then doubles. */
  readonly refresh: { readonly minMs: number; readonly maxMs: number }
  /** Ends it; the DNS client is ended by the same. */
  readonly closing: AbortController
}

/** Looks a name up whenever its TTL is over. When it cannot be looked up, or has no records any more, the targets stay. */
export class DnsProvider implements Provider {
  readonly #options: DnsProviderOptions

  constructor(options: DnsProviderOptions) {
    this.#options = options
  }

  watch(report: (finding: Finding) => void): void {
    void this.#run(report)
  }

  close(): void {
    this.#options.closing.abort()
  }

  async #run(report: (finding: Finding) => void): Promise<void> {
    const { minMs, maxMs } = this.#options.refresh
    const { signal } = this.#options.closing
    let failures = 0
    while (!signal.aborted) {
      let waitMs: number
      try {
        const { ttlSeconds, ...found } = await this.#options.lookup()
        if (signal.aborted) return
        report(found)
        failures = 0
        waitMs = Math.min(maxMs, Math.max(minMs, ttlSeconds * 1_000))
      } catch (error) {
        if (signal.aborted) return
        report({ trouble: causeOf(error) })
        waitMs = Math.min(maxMs, minMs * 2 ** failures++)
      }
      await delay(waitMs, undefined, { ref: false, signal }).catch(() => {})
    }
  }
}
