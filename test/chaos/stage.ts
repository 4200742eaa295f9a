import { setTimeout as delay } from 'node:timers/promises'
import type { ChaosBackend, ThreeBackends } from './chaos-backend.ts'
import type { ChaosGateway } from './chaos-gateway.ts'
import type { Load } from './load.ts'
import type { UpstreamName } from './request-kinds.ts'

/** How soon a backend that was well again got requests again. */
export interface Recovery {
  readonly backend: string
  /** From when it was well until all upstreams used it; undefined: they did not in time. */
  readonly tookMs: number | undefined
}

/** Of the gateway's log. */
type Word = 'target is ejected' | 'target is unhealthy' | 'circuit is open' | 'circuit is closed'

/** What a scenario works with while the load goes on. */
export class Stage {
  readonly backends: ThreeBackends
  readonly recoveries: Recovery[] = []
  readonly #load: Load
  readonly #gateway: ChaosGateway
  readonly #faultMs: number
  readonly #recoveryLimitMs: number

  constructor(
    backends: ThreeBackends,
    options: {
      readonly load: Load
      readonly gateway: ChaosGateway
      readonly faultMs: number
      readonly recoveryLimitMs: number
    },
  ) {
    this.backends = backends
    this.#load = options.load
    this.#gateway = options.gateway
    this.#faultMs = options.faultMs
    this.#recoveryLimitMs = options.recoveryLimitMs
  }

  /** As long as a fault stays, or a part of that. */
  async stay(share = 1): Promise<void> {
    await delay(this.#faultMs * share)
  }

  /** Waits until the gateway has said this of each upstream, or of each target of a backend, but not for ever. */
  async said(wanted: Word, of?: ChaosBackend): Promise<void> {
    const hosts = of && [new URL(of.httpUrl).host, new URL(of.grpcUrl).host]
    const giveUpAt = Date.now() + this.#recoveryLimitMs
    const told = new Set<string>()
    while (told.size < upstreamCount && Date.now() < giveUpAt) {
      await delay(lookMs)
      for (const { message, upstream, target } of await this.#gateway.changes()) {
        if (message === wanted && hosts?.includes(target) !== false) told.add(upstream)
      }
    }
  }

  /** Waits until requests of all upstreams that were due after now have arrived at the backend, which is well from now on. */
  async inUse(backend: ChaosBackend): Promise<void> {
    const wellAt = Date.now()
    let tookMs: number | undefined
    while (tookMs === undefined && Date.now() - wellAt < this.#recoveryLimitMs) {
      await delay(lookMs)
      tookMs = await this.#tookToUse(backend, wellAt)
    }
    this.recoveries.push({ backend: backend.name, tookMs })
  }

  async #tookToUse(backend: ChaosBackend, wellAt: number): Promise<number | undefined> {
    const due = new Map(
      this.#load.sent.filter(({ dueAt }) => dueAt >= wellAt).map(({ id, kind }) => [id, kind.upstream]),
    )
    const first = new Map<UpstreamName, number>()
    for (const { id, at } of await backend.arrivals()) {
      const upstream = due.get(id)
      if (upstream !== undefined && !first.has(upstream)) first.set(upstream, at)
    }
    return first.size === upstreamCount ? Math.max(0, ...first.values()) - wellAt : undefined
  }
}

const upstreamCount = 3
const lookMs = 50
