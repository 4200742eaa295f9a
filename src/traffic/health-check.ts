import { request } from 'undici'
import type { Logger } from '../core/log.ts'
import type { Endpoint } from './endpoint.ts'

/** Active probes of an upstream's endpoints; durations in milliseconds. */
export interface ProbeOptions {
  /** Asked with GET; any 2xx is healthy. */
  readonly path: string
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly healthyAfter: number
  readonly unhealthyAfter: number
}

/**
 * Probes every endpoint on its own clock, from {@link start} until closed. An endpoint is innocent until `unhealthyAfter` probes in a row
 * have failed; while nothing is known of it, it is probed at least once a second. Each change of health is logged once, with its reason.
 */
export class HealthChecker {
  readonly #upstreamName: string
  readonly #endpoints: readonly Endpoint[]
  readonly #options: ProbeOptions
  readonly #log: Logger
  readonly #timers = new Map<Endpoint, NodeJS.Timeout>()
  #running = false

  constructor(
    upstreamName: string,
    endpoints: readonly Endpoint[],
    options: ProbeOptions & { readonly log: Logger },
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
  }

  async #probe(endpoint: Endpoint, row: { good: number; bad: number }): Promise<void> {
    const { healthyAfter, unhealthyAfter, intervalMs } = this.#options
    const reason = await probeOnce(endpoint, this.#options)
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
    const delayMs = endpoint.healthy === undefined ? Math.min(1_000, intervalMs) : intervalMs
    const timer = setTimeout(() => void this.#probe(endpoint, row), delayMs)
    timer.unref()
    this.#timers.set(endpoint, timer)
  }

  #set(endpoint: Endpoint, healthy: boolean, reason: string): void {
    const changed = endpoint.healthy !== healthy
    endpoint.healthy = healthy
    endpoint.healthReason = reason
    if (!changed) return
    const fields = { 'gateway.upstream': this.#upstreamName, 'gateway.target': endpoint.url, reason }
    if (healthy) this.#log.info(fields, 'target is healthy')
    else this.#log.warn(fields, 'target is unhealthy')
  }
}

/** Undefined when healthy, else why not. */
async function probeOnce(endpoint: Endpoint, options: ProbeOptions): Promise<string | undefined> {
  try {
    const reply = await request(`${endpoint.url}${options.path}`, {
      dispatcher: endpoint.pool,
      signal: AbortSignal.timeout(options.timeoutMs),
      headers: { 'user-agent': 'trivium-health-check' },
    })
    await reply.body.dump()
    return reply.statusCode >= 200 && reply.statusCode < 300
      ? undefined
      : `probe was answered ${reply.statusCode}`
  } catch (error) {
    return `probe failed: ${error instanceof Error ? error.message || error.name : String(error)}`
  }
}
