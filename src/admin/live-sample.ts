import type { Traffic } from '../request-log/traffic-of.ts'
import { type CircuitState, type GatewayStatus, isUp } from './health.ts'

/** How a gateway is doing at one moment. */
export interface LiveSample {
  readonly at: string
  readonly version: string
  readonly configVersion: number
  readonly draining: boolean
  readonly activeConnections: number
  readonly activeRequests: number
  /** Of the last second; null: the request log is off, which they are told from. */
  readonly requests: Traffic | null
  readonly upstreams: readonly LiveUpstream[]
  readonly canaries: readonly LiveCanary[]
  readonly process: LiveProcess
}

export interface LiveUpstream {
  readonly name: string
  readonly targets: number
  /** Targets that take traffic. */
  readonly healthy: number
  /** Of the upstream as a whole; null: it has none. */
  readonly circuit: CircuitState | null
  /** Targets whose own circuit is not closed. */
  readonly openTargets: readonly string[]
}

export interface LiveCanary {
  readonly place: string
  readonly phase: string
  readonly weight: number
}

export interface LiveProcess {
  /** How late the event loop was in the last second: the 99th percentile. */
  readonly eventLoopDelayMs: number
  /** Of one core, with all threads. */
  readonly cpuPercent: number
  readonly rssBytes: number
  readonly heapUsedBytes: number
  readonly heapLimitBytes: number
}

/** Upstreams as a sample has them. */
export function liveUpstreams({ upstreams }: Pick<GatewayStatus, 'upstreams'>): LiveUpstream[] {
  return upstreams.map(({ name, targets, circuit }) => ({
    name,
    targets: targets.length,
    healthy: targets.filter(isUp).length,
    circuit: circuit?.state ?? null,
    openTargets: targets
      .filter((target) => target.circuit !== undefined && target.circuit.state !== 'closed')
      .map(({ url }) => url),
  }))
}
