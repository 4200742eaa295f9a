import type { Exchange, Principal } from '../../core/exchange.ts'
import type { Plugin } from '../../core/plugin.ts'
import type { PluginHost } from '../../pipeline/registry.ts'
import { rateLimit } from '../rate-limit/rate-limit.ts'
import type { ConsumerKeys } from './consumer-keys.ts'
import type { KeyRateLimit } from './key-record.ts'

/**
 * The rate limits that consumers and keys have of their own, in whatever place and protocol they call: one for all places of a
 * configuration, behind identity.
 */
export class CallerLimits implements Plugin {
  readonly #keys: ConsumerKeys
  readonly #host: PluginHost
  /** By what it allows: callers who may do the same share one. */
  readonly #limits = new Map<string, Plugin>()
  readonly #ofCaller = new WeakMap<Principal, Plugin>()

  constructor(keys: ConsumerKeys, host: PluginHost) {
    this.#keys = keys
    // A place of its own: counts are kept apart from those of limits in `plugins`.
    const policy = { id: 'auth', auth: 'required', authorize: { roles: [], scopes: [] } } as const
    this.#host = { ...host, policy: { ...policy, plugins: [], forwardCredentials: false } }
  }

  onRequest(x: Exchange): void | Promise<void> {
    const { principal } = x
    if (principal?.consumer === undefined) return
    return (this.#ofCaller.get(principal) ?? this.#limit(principal)).onRequest?.(x)
  }

  async close(): Promise<void> {
    for (const limit of this.#limits.values()) await limit.close?.()
  }

  #limit(principal: Principal): Plugin {
    const { consumer, key } = this.#keys.rateLimits(principal)
    const limits = [...named('consumer', consumer), ...named('key', key)]
    const text = JSON.stringify(limits)
    let plugin = this.#limits.get(text)
    if (plugin === undefined) {
      plugin = limits.length === 0 ? {} : rateLimit.create(rateLimit.options.parse({ limits }), this.#host)
      this.#limits.set(text, plugin)
    }
    this.#ofCaller.set(principal, plugin)
    return plugin
  }
}

function named(by: 'consumer' | 'key', limit: KeyRateLimit | undefined): object[] {
  return limit === undefined ? [] : [{ name: by, by, limit: limit.limit, window: `${limit.window}ms` }]
}
