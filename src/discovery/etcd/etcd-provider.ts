import { setTimeout as delay } from 'node:timers/promises'
import { causeOf } from '../../core/cause-of.ts'
import type { Target } from '../../core/target.ts'
import type { Finding, Provider } from '../provider.ts'
import { readTarget } from '../read-target.ts'
import { EtcdClient, type EtcdClientOptions, type KeyEvent } from './etcd-client.ts'

/** Where the targets are in etcd. */
export interface EtcdProviderOptions extends Omit<EtcdClientOptions, 'endpoint'> {
  /** The members of one cluster. The first that answers is used until it fails. */
  readonly endpoints: readonly string[]
  /** What the keys begin with. Each value is a target: see {@link readTarget}. */
  readonly prefix: string
  /** How often all keys are read anew, in milliseconds: that shows a member that has lost its cluster, or that is frozen. */
  readonly resyncMs: number
}

/** Keys that are read at the most. */
const maxKeys = 2_000
/** Before the next try, in milliseconds: at first, and at the most. */
const backoff = { firstMs: 250, maxMs: 5_000 }

/**
 * Follows the keys under a prefix: reads them all, then watches from the next revision on. Whatever happens to the watch, a compaction too, all
 * are read anew. An etcd that cannot be asked changes nothing, nor does one that has no keys there: the last targets stay.
 */
export class EtcdProvider implements Provider {
  readonly #options: EtcdProviderOptions
  readonly #clients: readonly EtcdClient[]
  readonly #closing = new AbortController()

  constructor(options: EtcdProviderOptions) {
    this.#options = options
    this.#clients = options.endpoints.map((endpoint) => new EtcdClient({ ...options, endpoint }))
  }

  watch(report: (finding: Finding) => void): void {
    void this.#run(report)
  }

  close(): void {
    this.#closing.abort()
    for (const client of this.#clients) client.close()
  }

  async #run(report: (finding: Finding) => void): Promise<void> {
    const { signal } = this.#closing
    /** In a row. */
    let failures = 0
    for (let member = 0; !signal.aborted; ) {
      try {
        await this.#follow(this.#clients[member] as EtcdClient, report)
        failures = 0
      } catch (error) {
        if (signal.aborted) return
        failures++
        const { endpoints } = this.#options
        const reason = `${endpoints[member]}: ${causeOf(error)}`
        member = (member + 1) % endpoints.length
        // The others are asked at once.
        if (failures % endpoints.length !== 0) continue
        report({ trouble: reason })
        const limitMs = Math.min(backoff.maxMs, backoff.firstMs * 2 ** (failures / endpoints.length - 1))
        await delay(limitMs * (0.5 + Math.random() / 2), undefined, { ref: false, signal }).catch(() => {})
      }
    }
  }

  /** Until it is time to read all keys anew; rejects when etcd cannot be asked or watched. */
  async #follow(client: EtcdClient, report: (finding: Finding) => void): Promise<void> {
    const { prefix, resyncMs } = this.#options
    const { signal } = this.#closing
    const { entries, revision } = await client.range(prefix, { limit: maxKeys, signal })
    const values = new Map<string, string>()
    this.#apply(values, entries, report)
    const refresh = AbortSignal.timeout(resyncMs)
    try {
      const until = AbortSignal.any([signal, refresh])
      for await (const events of client.watch(prefix, { revision: revision + 1n, signal: until }))
        this.#apply(values, events, report)
    } catch (error) {
      if (!refresh.aborted) throw error
    }
  }

  #apply(values: Map<string, string>, events: readonly KeyEvent[], report: (finding: Finding) => void): void {
    for (const { key, value } of events) {
      if (value === undefined) values.delete(key)
      else if (values.size < maxKeys || values.has(key)) values.set(key, value)
    }
    const { prefix } = this.#options
    if (values.size === 0) report({ trouble: `there are no keys under ${prefix}` })
    else report(findingOf(values, prefix))
  }
}

function findingOf(values: ReadonlyMap<string, string>, prefix: string): Finding {
  const targets: Target[] = []
  const skipped: string[] = []
  for (const [key, value] of values) {
    try {
      targets.push(readTarget(value.trimStart().startsWith('{') ? JSON.parse(value) : value.trim()))
    } catch (error) {
      const name = Buffer.from(key, 'base64').toString('utf8')
      skipped.push(`${name}: ${causeOf(error)}`)
    }
  }
  if (targets.length > 0) return { targets, skipped }
  return { trouble: `none of the keys under ${prefix} holds a target: ${skipped[0]}`, skipped }
}
