import type { Logger } from '../core/log.ts'
import type { Reason } from '../core/reason.ts'
import { dropGone } from './drop-gone.ts'
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
  /** Whether no connection could be made to it the last time, which is what probes can tell, too. */
  unreached: boolean
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
    dropGone(this.#rows, endpoints)
    for (const endpoint of endpoints) {
      if (!this.#rows.has(endpoint))
        this.#rows.set(endpoint, { errors: 0, times: 0, unreached: false, overAt: 0, timer: undefined })
    }
  }

  succeeded(endpoint: Endpoint): void {
    const row = this.#rows.get(endpoint)
    if (row === undefined || row.errors === 0) return
    row.errors = 0
    endpoint.failing = ''
  }

  /**
   * `why` is for the log: the reason of the error, or the status of the answer. `startedAt`: of the attempt; one that began before the
   * target was taken in again says nothing of it now.
   */
  failed(endpoint: Endpoint, why: string, startedAt: number): void {
    const row = this.#rows.get(endpoint)
    const { consecutiveErrors, maxEjectedPercent } = this.#options
    if (row === undefined || consecutiveErrors === 0 || endpoint.ejected || startedAt < row.overAt) return
    if (++row.errors < consecutiveErrors) return
    const out = [...this.#rows.keys()].filter(({ ejected }) => ejected).length
    if ((out + 1) * 100 > maxEjectedPercent * this.#rows.size) this.#keep(endpoint, row, why)
    else this.#eject(endpoint, row, why)
  }

  /**
   * A probe found it well; `recovered`: after others that did not. That ends an ejection whose cause probes see as well: what fails calls
   * behind a healthy probe stays out for its time.
   */
  probedWell(endpoint: Endpoint, recovered: boolean): void {
    const row = this.#rows.get(endpoint)
    if (row === undefined || !(recovered || row.unreached)) return
    endpoint.failing = ''
    if (!endpoint.ejected) return
    clearTimeout(row.timer)
    this.#takeIn(endpoint, row, 'probe succeeded')
  }

  close(): void {
    for (const { timer } of this.#rows.values()) clearTimeout(timer)
  }

  /** It would be left out, but for all the others that are: people are told. */
  #keep(endpoint: Endpoint, row: Row, why: string): void {
    row.unreached = unreached.has(why)
    const news = endpoint.failing === ''
    endpoint.failing = `${row.errors} failures in a row, the last: ${why}; not ejected: maxEjectedPercent is ${this.#options.maxEjectedPercent}`
    if (!news) return
    const fields = { 'gateway.upstream': this.#upstreamName, 'gateway.target': endpoint.url }
    this.#log.warn({ ...fields, reason: endpoint.failing }, 'target keeps failing')
  }

  #eject(endpoint: Endpoint, row: Row, why: string): void {
    const { ejectForMs, maxEjectForMs } = this.#options
    const forMs = (times: number): number => Math.min(maxEjectForMs, ejectForMs * 2 ** times)
    if (row.times > 0 && performance.now() - row.overAt > forMs(row.times - 1)) row.times = 0
    const duration = forMs(row.times)
    row.times++
    row.unreached = unreached.has(why)
    endpoint.eject(`ejected for ${duration} ms after ${row.errors} failures in a row: ${why}`)
    const fields = { 'gateway.upstream': this.#upstreamName, 'gateway.target': endpoint.url }
    this.#log.warn({ ...fields, reason: endpoint.healthReason }, 'target is ejected')
    row.timer = setTimeout(() => this.#takeIn(endpoint, row, `${duration} ms are over`), duration).unref()
  }

  #takeIn(endpoint: Endpoint, row: Row, reason: string): void {
    row.errors = this.#options.consecutiveErrors - 1
    row.overAt = performance.now()
    endpoint.readmit()
    const fields = { 'gateway.upstream': this.#upstreamName, 'gateway.target': endpoint.url, reason }
    this.#log.info(fields, 'target is taken in again')
  }
}

const unreached: ReadonlySet<string> = new Set<Reason>([
  'UPSTREAM_REFUSED',
  'CONNECT_TIMEOUT',
  'UPSTREAM_DNS',
  'UPSTREAM_TLS',
])
