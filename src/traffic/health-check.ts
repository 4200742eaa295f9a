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

/** Probes every endpoint on its own clock until closed. Each change of health is logged once, with its reason. */
export class HealthChecker {
  readonly #timers: NodeJS.Timeout[] = []
  readonly #upstreamName: string
  readonly #options: ProbeOptions
  readonly #log: Logger

  constructor(upstreamName: string, endpoints: readonly Endpoint[], options: ProbeOptions & { readonly log: Logger }) {
    this.#upstreamName = upstreamName
    this.#options = options
    this.#log = options.log
    for (const endpoint of endpoints) this.#watch(endpoint)
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer)
  }

  #watch(endpoint: Endpoint): void {
    let good = 0
    let bad = 0
    let probing = false
    const probe = async (): Promise<void> => {
      if (probing) return
      probing = true
      const reason = await probeOnce(endpoint, this.#options)
      probing = false
      if (reason === undefined) {
        good++
        bad = 0
        if (good >= this.#options.healthyAfter) this.#set(endpoint, true, 'probe succeeded')
      } else {
        bad++
        good = 0
        if (bad >= this.#options.unhealthyAfter || endpoint.healthy === undefined) this.#set(endpoint, false, reason)
      }
    }
    void probe()
    const timer = setInterval(() => void probe(), this.#options.intervalMs)
    timer.unref()
    this.#timers.push(timer)
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
    return reply.statusCode >= 200 && reply.statusCode < 300 ? undefined : `probe was answered ${reply.statusCode}`
  } catch (error) {
    return `probe failed: ${error instanceof Error ? error.message || error.name : String(error)}`
  }
}
