import type { Logger } from '../core/log.ts'
import type { Ejection } from './ejection.ts'
import type { Endpoint } from './endpoint.ts'

/** How an endpoint is asked; each protocol has its own way. */
export interface Probe {
  /** Undefined when healthy, else why not: `probe failed: …` when there was no answer. Limits its own time, never rejects. */
  probe(endpoint: Endpoint): Promise<string | undefined>
  close(): void
}

/** Active probes of an upstream's endpoints. */
export interface HealthCheckOptions {
  /** The checker's to close. */
  readonly probe: Probe
  readonly intervalMs: number
  readonly healthyAfter: number
  readonly unhealthyAfter: number
  /** Told of good probes. */
  readonly ejection: Ejection
}

/**
 * Probes every endpoint on its own clock, from {@link start} until closed. An endpoint is innocent until `unhealthyAfter` probes in a row
 * have failed; while nothing is known of it, it is probed at least once a second. Each change of health is logged once, with its reason.
 */
export class HealthChecker {
  readonly #upstreamName: string
  readonly #endpoints: readonly Endpoint[]
  readonly #options: HealthCheckOptions
  readonly #log: Logger
  readonly #timers = new Map<Endpoint, NodeJS.Timeout>()
  #running = false

  constructor(
    upstreamName: string,
    endpoints: readonly Endpoint[],
    options: HealthCheckOptions & { readonly log: Logger },
  ) {
    this.#upstreamName = upstreamName
    this.#endpoints = endpoints
    this.#options = options
    this.#log = options.log
  }

  /** Begins to probe; called again it does nothing. */
  start(): void {
    if (this.#running) return
    this.#running = true
    for (const endpoint of this.#endpoints) void this.#probe(endpoint, { good: 0, bad: 0 })
  }

  close(): void {
    this.#running = false
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#options.probe.close()
  }

  async #probe(endpoint: Endpoint, row: { good: number; bad: number }): Promise<void> {
    const { healthyAfter, unhealthyAfter, intervalMs } = this.#options
    const reason = await this.#options.probe.probe(endpoint)
    if (!this.#running) return
    if (reason === undefined) {
      row.good++
      row.bad = 0
      if (row.good >= healthyAfter) this.#set(endpoint, true, 'probe succeeded')
    } else {
      row.bad++
      row.good = 0
      if (row.bad >= unhealthyAfter) this.#set(endpoint, false, reason)
    }
    const delayMs = endpoint.decided ? intervalMs : Math.min(1_000, intervalMs)
    const timer = setTimeout(() => void this.#probe(endpoint, row), delayMs)
    timer.unref()
    this.#timers.set(endpoint, timer)
  }

  #set(endpoint: Endpoint, healthy: boolean, reason: string): void {
    const wasDecided = endpoint.decided
    const changed = endpoint.probed(healthy, reason)
    if (healthy) this.#options.ejection.probedWell(endpoint, changed && wasDecided)
    if (!changed) return
    const fields = { 'gateway.upstream': this.#upstreamName, 'gateway.target': endpoint.url, reason }
    if (healthy) this.#log.info(fields, 'target is healthy')
    else this.#log.warn(fields, 'target is unhealthy')
  }
}
