import type { UpstreamStatus } from './admin/health.ts'
import type { UpstreamConfig } from './config/schema.ts'
import type { Logger } from './core/log.ts'
import type { StickyOptions } from './traffic/balancing/sticky.ts'
import { HealthChecker, type Probe } from './traffic/health-check.ts'
import { httpProbe } from './traffic/http-probe.ts'
import { Upstream } from './traffic/upstream.ts'

/** An upstream with its probes, and the configuration that it was made from. */
interface Held {
  readonly fingerprint: string
  readonly upstream: Upstream
  readonly checker: HealthChecker | undefined
  /** Generations that use it. */
  users: number
}

/** The upstreams of all live configurations: one whose configuration did not change keeps its connections and health over a reload. */
export class Upstreams {
  readonly #held = new Set<Held>()
  readonly #log: Logger
  readonly #probe: boolean

  /** @param options.probe whether targets are probed at all. */
  constructor(log: Logger, options: { readonly probe: boolean }) {
    this.#log = log
    this.#probe = options.probe
  }

  /** The upstream for a configuration: the one that is there, or a new one. Give it back with the returned `release`. */
  take(name: string, config: UpstreamConfig): { readonly upstream: Upstream; release(): Promise<void> } {
    const fingerprint = JSON.stringify([name, config])
    let held = [...this.#held].find((other) => other.fingerprint === fingerprint)
    if (held === undefined) {
      held = { fingerprint, ...this.#make(name, config), users: 0 }
      this.#held.add(held)
    }
    const taken = held
    taken.users++
    const release = async (): Promise<void> => {
      if (--taken.users > 0) return
      this.#held.delete(taken)
      taken.checker?.close()
      await taken.upstream.close()
    }
    return { upstream: taken.upstream, release }
  }

  /** Begins to probe what is not probed yet; called when a configuration runs, so that building it does not make probes late. */
  startProbes(): void {
    for (const { checker } of this.#held) checker?.start()
  }

  #make(name: string, config: UpstreamConfig): { upstream: Upstream; checker: HealthChecker | undefined } {
    const { loadBalancing: balancing } = config
    const { active, passive } = config.healthChecks
    const upstream = new Upstream(name, {
      targets: config.targets,
      connections: {
        connectTimeoutMs: config.timeouts.connect,
        idleTimeoutMs: config.connections.keepAlive,
        maxConnections: config.connections.max,
        tls: config.tls,
      },
      requestTimeoutMs: config.timeouts.request,
      totalTimeoutMs: config.timeouts.total,
      timeHeader: config.timeouts.header,
      bodyIdleTimeoutMs: config.timeouts.idle,
      retry: {
        attempts: config.retry.attempts,
        statuses: config.retry.statuses,
        backoff: { baseMs: config.retry.backoff.base, maxMs: config.retry.backoff.max },
        budget: config.retry.budget,
        perTryMs: config.timeouts.perTry,
        maxRetryAfterMs: config.retry.maxRetryAfter,
        hedgeAfterMs: config.retry.hedge.after,
        idempotencyKey: config.retry.idempotencyKey,
        nonIdempotent: config.retry.nonIdempotent,
        maxBodyBytes: config.retry.maxBodyBytes,
      },
      balancing: {
        policy: balancing.policy,
        hashOn: balancing.hashOn,
        slowStartMs: balancing.slowStart,
        panicThresholdPercent: balancing.panicThreshold,
        sticky: balancing.sticky && stickyOptions(balancing.sticky.cookie),
      },
      ejection: {
        consecutiveErrors: passive.consecutiveErrors,
        ejectForMs: passive.ejectFor,
        maxEjectForMs: passive.maxEjectFor,
        maxEjectedPercent: passive.maxEjectedPercent,
      },
      log: this.#log,
    })
    const checker =
      active === undefined || !this.#probe
        ? undefined
        : new HealthChecker(name, upstream.endpoints, {
            probe: probeOf(active),
            intervalMs: active.interval,
            healthyAfter: active.healthyAfter,
            unhealthyAfter: active.unhealthyAfter,
            ejection: upstream.ejection,
            log: this.#log,
          })
    return { upstream, checker }
  }
}

type StickyConfig = NonNullable<UpstreamConfig['loadBalancing']['sticky']>['cookie']

function stickyOptions({ maxAge, ...cookie }: StickyConfig): StickyOptions {
  return { ...cookie, maxAgeSeconds: maxAge === undefined ? undefined : Math.round(maxAge / 1_000) }
}

type ProbeConfig = NonNullable<UpstreamConfig['healthChecks']['active']>

function probeOf({ type, path, service, timeout: timeoutMs }: ProbeConfig): Probe {
  return type === 'grpc' ? grpcProbe({ service, timeoutMs }) : httpProbe({ path, timeoutMs })
}

/** Its module is loaded by the first probe, because gRPC is loaded only where it is used. */
function grpcProbe(options: { readonly service: string; readonly timeoutMs: number }): Probe {
  let loaded: Promise<Probe> | undefined
  const load = async (): Promise<Probe> => {
    const { GrpcProbe } = await import('./front-ends/grpc/health/grpc-probe.ts')
    return new GrpcProbe(options)
  }
  return {
    probe: async (endpoint) => {
      loaded ??= load()
      return (await loaded).probe(endpoint)
    },
    close: () => void loaded?.then((probe) => probe.close()),
  }
}

/** What `/health` and the metrics say of an upstream. */
export function upstreamStatus({ name, endpoints }: Upstream): UpstreamStatus {
  const targets = endpoints.map(({ url, healthy, healthReason }) => ({ url, healthy, reason: healthReason }))
  return { name, targets }
}
