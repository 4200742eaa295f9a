import { monitorEventLoopDelay } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import type { GatewayStatus } from './admin/health.ts'
import { type LiveCanary, type LiveProcess, type LiveSample, liveUpstreams } from './admin/live-sample.ts'
import type { EntryRing } from './request-log/entry-ring.ts'
import { trafficOf } from './request-log/traffic-of.ts'

export interface LiveFeedOptions {
  /** Undefined: nothing is logged. */
  readonly ring: EntryRing | undefined
  status(): Promise<GatewayStatus>
  activeRequests(): number
  canaries(): readonly LiveCanary[]
}

/** Takes a sample a second while somebody listens, one for all, and does nothing else. */
export class LiveFeed {
  readonly #options: LiveFeedOptions
  #listeners = 0
  #clock: Clock | undefined
  #next = Promise.withResolvers<LiveSample>()

  constructor(options: LiveFeedOptions) {
    this.#options = options
  }

  /** Samples until `signal` aborts. Whoever is slow misses some. */
  async *listen(signal: AbortSignal): AsyncGenerator<LiveSample> {
    if (signal.aborted) return
    this.#clock ??= this.#start()
    this.#listeners++
    try {
      for (;;) {
        const sample = await beforeEnd(this.#next.promise, signal)
        if (sample === undefined) return
        yield sample
      }
    } finally {
      if (--this.#listeners === 0) this.#stop()
    }
  }

  #start(): Clock {
    const delays = monitorEventLoopDelay({ resolution: resolutionMs })
    delays.enable()
    const clock: Clock = {
      delays,
      timer: setInterval(() => void this.#tick(clock), intervalMs).unref(),
      number: this.#options.ring?.next ?? 0,
      at: performance.now(),
      cpu: process.cpuUsage(),
    }
    return clock
  }

  #stop(): void {
    clearInterval(this.#clock?.timer)
    this.#clock?.delays.disable()
    this.#clock = undefined
  }

  async #tick(clock: Clock): Promise<void> {
    const { ring, status, activeRequests, canaries } = this.#options
    const now = performance.now()
    const seconds = (now - clock.at) / 1_000
    const requests = ring === undefined ? null : trafficOf(ring, { from: clock.number, seconds })
    const process = processOf(clock, seconds)
    clock.at = now
    clock.number = ring?.next ?? 0
    const known = await status()
    const sample = {
      at: new Date(known.now).toISOString(),
      version: known.version,
      configVersion: known.config.version,
      draining: known.draining,
      activeConnections: known.activeConnections,
      activeRequests: activeRequests(),
      requests,
      upstreams: liveUpstreams(known),
      canaries: canaries().map(({ place, phase, weight }) => ({ place, phase, weight })),
      process,
    }
    const { resolve } = this.#next
    this.#next = Promise.withResolvers()
    resolve(sample)
  }
}

/** What is measured while somebody listens, and where it stood at the last sample. */
interface Clock {
  readonly delays: ReturnType<typeof monitorEventLoopDelay>
  readonly timer: NodeJS.Timeout
  /** Of the first entry that is not in a sample yet. */
  number: number
  at: number
  cpu: NodeJS.CpuUsage
}

const intervalMs = 1_000
/** The timer that measures fires so often: what it shows above that is delay. */
const resolutionMs = 10

function processOf(clock: Clock, seconds: number): LiveProcess {
  const { user, system } = process.cpuUsage(clock.cpu)
  clock.cpu = process.cpuUsage()
  const lateMs = clock.delays.percentile(99) / 1_000_000 - resolutionMs
  clock.delays.reset()
  const { used_heap_size: heapUsedBytes, heap_size_limit: heapLimitBytes } = getHeapStatistics()
  return {
    eventLoopDelayMs: Math.max(0, Math.round(lateMs * 10) / 10) || 0,
    cpuPercent: Math.round((user + system) / 10_000 / seconds),
    rssBytes: process.memoryUsage.rss(),
    heapUsedBytes,
    heapLimitBytes,
  }
}

/** What comes of it; undefined when `signal` aborts before. */
function beforeEnd<T>(coming: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve(undefined)
      return
    }
    const end = (): void => resolve(undefined)
    signal.addEventListener('abort', end, { once: true })
    void coming.then((value) => {
      signal.removeEventListener('abort', end)
      resolve(value)
    })
  })
}
