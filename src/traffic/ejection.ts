import type { Logger } from '../core/log.ts'
import type { Endpoint } from './endpoint.ts'

/** When targets are left out for failing calls (passive health checks, outlier ejection); durations in milliseconds. */
export interface EjectionOptions {
  /** Failed calls in a row; 0: never. */
  readonly consecutiveErrors: number
  /** For the first time; times two for the second in a row, and so on. */
  readonly ejectForMs: number
  readonly maxEjectForMs: number
  /** Share of the targets that may be ejected at a time. */
  readonly maxEjectedPercent: number
}

interface Row {
  errors: number
  /** Ejections in a row. */
  times: number
  /** `performance.now()` when the last one was over. */
  overAt: number
  timer: NodeJS.Timeout | undefined
}

/**
 * Watches how the calls of an upstream end, and leaves out targets that fail one after the other. A target that comes back is on
 * probation: its next failure ejects it again, for twice as long; one that did well for as long as it was out is forgiven.
 */
export class Ejection {
  readonly #upstreamName: string
  readonly #options: EjectionOptions
  readonly #log: Logger
  readonly #rows = new Map<Endpoint, Row>()

  constructor(
    upstreamName: string,
    endpoints: readonly Endpoint[],
    options: EjectionOptions & { readonly log: Logger },
  ) {
    this.#upstreamName = upstreamName
    this.#options = options
    this.#log = options.log
    this.follow(endpoints)
  }

  /** These are the targets from now on; those that stay are remembered. */
  follow(endpoints: readonly Endpoint[]): void {
    const staying = new Set(endpoints)
    for (const [endpoint, { timer }] of this.#rows) {
      if (staying.has(endpoint)) continue
      clearTimeout(timer)
      this.#rows.delete(endpoint)
    }
    for (const endpoint of endpoints) {
      if (!this.#rows.has(endpoint))
        this.#rows.set(endpoint, { errors: 0, times: 0, overAt: 0, timer: undefined })
    }
  }

  succeeded(endpoint: Endpoint): void {
    const row = this.#rows.get(endpoint)
    if (row !== undefined) row.errors = 0
  }

  /** `why` is for the log: the reason of the error, or the status of the answer. */
  failed(endpoint: Endpoint, why: string): void {
    const row = this.#rows.get(endpoint)
    const { consecutiveErrors, maxEjectedPercent } = this.#options
    if (row === undefined || consecutiveErrors === 0 || endpoint.ejected) return
    if (++row.errors < consecutiveErrors) return
    const out = [...this.#rows.keys()].filter(({ ejected }) => ejected).length
    if ((out + 1) * 100 > maxEjectedPercent * this.#rows.size) return
    this.#eject(endpoint, row, why)
  }

  close(): void {
    for (const { timer } of this.#rows.values()) clearTimeout(timer)
  }

  #eject(endpoint: Endpoint, row: Row, why: string): void {
    const { ejectForMs, maxEjectForMs } = this.#options
    const forMs = (times: number): number => Math.min(maxEjectForMs, ejectForMs * 2 ** times)
    if (row.times > 0 && performance.now() - row.overAt > forMs(row.times - 1)) row.times = 0
    const duration = forMs(row.times)
    row.times++
    endpoint.eject(`ejected for ${duration} ms after ${row.errors} failures in a row: ${why}`)
    const fields = { 'gateway.upstream': this.#upstreamName, 'gateway.target': endpoint.url }
    this.#log.warn({ ...fields, reason: endpoint.healthReason }, 'target is ejected')
    row.timer = setTimeout(() => {
      row.errors = this.#options.consecutiveErrors - 1
      row.overAt = performance.now()
      endpoint.readmit()
      this.#log.info({ ...fields, reason: `${duration} ms are over` }, 'target is taken in again')
    }, duration).unref()
  }
}
