import type { Logger } from '../core/log.ts'
import { dropGone } from './drop-gone.ts'
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

interface Row {
  /** Good probes in a row. */
  good: number
  /** Failed ones in a row. */
  bad: number
  timer: NodeJS.Timeout | undefined
}

/**
 * Probes every endpoint on its own clock, from {@link start} until closed. An endpoint is innocent until `unhealthyAfter` probes in a row
 * have failed; while nothing is known of it, it is probed at least once a second. Each change of health is logged once, with its reason.
 */
export class HealthChecker {
  readonly #upstreamName: string
  readonly #options: HealthCheckOptions
  readonly #log: Logger
  readonly #rows = new Map<Endpoint, Row>()
  #running = false

  constructor(
    upstreamName: string,
    endpoints: readonly Endpoint[],
    options: HealthCheckOptions & { readonly log: Logger },
  ) {
    this.#upstreamName = upstreamName
    this.#options = options
    this.#log = options.log
    this.follow(endpoints)
  }

  /** Begins to probe; called again it does nothing. */
  start(): void {
    if (this.#running) return
    this.#running = true
    for (const [endpoint, row] of this.#rows) void this.#probe(endpoint, row)
  }

  /** These are the endpoints from now on: new ones are probed at once, those that are gone no more. */
  follow(endpoints: readonly Endpoint[]): void {
    dropGone(this.#rows, endpoints)
    for (const endpoint of endpoints) {
      if (this.#rows.has(endpoint)) continue
      const row: Row = { good: 0, bad: 0, timer: undefined }
      this.#rows.set(endpoint, row)
      if (this.#running) void this.#probe(endpoint, row)
    }
  }

  close(): void {
    this.#running = false
    this.follow([])
    this.#options.probe.close()
  }

  async #probe(endpoint: Endpoint, row: Row): Promise<void> {
    const { healthyAfter, unhealthyAfter, intervalMs } = this.#options
    const reason = await this.#options.probe.probe(endpoint)
    if (!this.#rows.has(endpoint)) return
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
    row.timer = setTimeout(() => void this.#probe(endpoint, row), delayMs).unref()
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
