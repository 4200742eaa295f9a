import { setTimeout as delay } from 'node:timers/promises'
import type { CircuitStatus, UpstreamStatus } from './admin/health.ts'
import { providerOf } from './build-discovery.ts'
import { probeOf } from './build-probe.ts'
import type { UpstreamConfig } from './config/schema.ts'
import type { Logger } from './core/log.ts'
import type { Target } from './core/target.ts'
import { Discovery } from './discovery/discovery.ts'
import { ServiceRegistry } from './discovery/service-registry.ts'
import type { StickyOptions } from './traffic/balancing/sticky.ts'
import type { Breaker } from './traffic/breaker.ts'
import type { CircuitOptions } from './traffic/circuit.ts'
import type { GateOptions } from './traffic/gate.ts'
import { HealthChecker } from './traffic/health-check.ts'
import { Upstream } from './traffic/upstream.ts'

/** An upstream with its probes and its discovery, and the configuration that it was made from. */
interface Held {
  /** The same of what finds its targets; undefined when they are listed. */
  readonly discoveryFingerprint: string | undefined
  readonly upstream: Upstream
  readonly checker: HealthChecker | undefined
  readonly discovery: Discovery | undefined
  /** Generations that use it. */
  users: number
}

/** The upstreams of all live configurations: one whose configuration did not change keeps its connections and health over a reload. */
export class Upstreams {
  /** By fingerprint. */
  readonly #held = new Map<string, Held>()
  readonly #log: Logger
  readonly #probe: boolean
  readonly #registry: ServiceRegistry

  /** @param options.probe whether targets are probed and looked for at all; `registry`: of instances that announce themselves, by default one of its own. */
  constructor(log: Logger, options: { readonly probe: boolean; readonly registry?: ServiceRegistry }) {
    this.#log = log
    this.#probe = options.probe
    this.#registry = options.registry ?? new ServiceRegistry()
  }

  /** The upstream for a configuration: the one that is there, or a new one. Give it back with the returned `release`. */
  take(name: string, config: UpstreamConfig): { readonly upstream: Upstream; release(): Promise<void> } {
    const fingerprint = JSON.stringify([name, config])
    let held = this.#held.get(fingerprint)
    if (held === undefined) {
      held = { ...this.#make(name, config), users: 0 }
      this.#held.set(fingerprint, held)
      if (this.#probe) held.discovery?.start()
    }
    const taken = held
    taken.users++
    const release = async (): Promise<void> => {
      if (--taken.users > 0) return
      this.#held.delete(fingerprint)
      taken.discovery?.close()
      taken.checker?.close()
      await taken.upstream.close()
    }
    return { upstream: taken.upstream, release }
  }

  /** Begins to probe what is not probed yet; called when a configuration runs, so that building it does not make probes late. */
  startProbes(): void {
    for (const { checker } of this.#held.values()) checker?.start()
  }

  /**
   * Resolves when discovery has told something of each upstream that has no targets yet, be it trouble, but in any case soon: a configuration is
   * to begin with targets, and is not to wait for a provider that is down.
   */
  async discovered(): Promise<void> {
    const waiting = [...this.#held.values()].flatMap(({ upstream, discovery }) =>
      this.#probe && discovery !== undefined && upstream.endpoints.length === 0 ? [discovery.first] : [],
    )
    if (waiting.length === 0) return
    const late = new AbortController()
    const limit = delay(discoveryLimitMs, undefined, { signal: late.signal }).catch(() => {})
    await Promise.race([Promise.all(waiting), limit])
    late.abort()
  }

  /** What `/health` and the metrics say of these upstreams. */
  status(upstreams: readonly Upstream[]): UpstreamStatus[] {
    const asked = new Set(upstreams)
    return [...this.#held.values()].filter(({ upstream }) => asked.has(upstream)).map(statusOf)
  }

  #make(name: string, config: UpstreamConfig): Omit<Held, 'users'> {
    const discoveryFingerprint = config.discovery && JSON.stringify([name, config.discovery])
    const { loadBalancing: balancing } = config
    const { active, passive } = config.healthChecks
    const upstream = new Upstream(name, {
      targets: config.targets ?? this.#foundBefore(discoveryFingerprint),
      connections: {
        connectTimeoutMs: config.timeouts.connect,
        idleTimeoutMs: config.connections.keepAlive,
        maxAgeMs: config.connections.maxAge,
        maxConnections: config.connections.max,
        freshForUnsafe: config.connections.reuse === 'idempotent',
        http2: config.connections.http2,
        tls: tlsOf(config),
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
      circuit: config.circuitBreaker && circuitOptions(config.circuitBreaker),
      concurrency: gateOptions(config.concurrency),
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
    const discovery =
      config.discovery &&
      new Discovery({
        upstreamName: name,
        provider: providerOf(config.discovery, this.#registry),
        log: this.#log,
        onTargets: (targets) => {
          upstream.setTargets(targets)
          checker?.follow(upstream.endpoints)
        },
      })
    return { discoveryFingerprint, upstream, checker, discovery }
  }

  /** An upstream that is made anew for another reason does not have to wait until its targets are found again. */
  #foundBefore(discoveryFingerprint: string | undefined): readonly Target[] {
    const before = [...this.#held.values()].findLast(
      (held) => held.discoveryFingerprint === discoveryFingerprint,
    )
    return (before?.upstream.endpoints ?? []).map(({ url, weight, priority }) => ({ url, weight, priority }))
  }
}

/** How long a configuration waits for its first targets. */
const discoveryLimitMs = 2_000

/** Targets that are found by a name have certificates for it, not for their addresses. */
function tlsOf({ tls, discovery }: UpstreamConfig): UpstreamConfig['tls'] {
  if (discovery?.type !== 'dns') return tls
  return { insecureSkipVerify: false, ...tls, serverName: tls?.serverName ?? discovery.name }
}

type StickyConfig = NonNullable<UpstreamConfig['loadBalancing']['sticky']>['cookie']

function stickyOptions({ maxAge, ...cookie }: StickyConfig): StickyOptions {
  return { ...cookie, maxAgeSeconds: maxAge === undefined ? undefined : Math.round(maxAge / 1_000) }
}

function gateOptions({ max, queue, queueTimeout }: UpstreamConfig['concurrency']): GateOptions | undefined {
  return max === 0 ? undefined : { max, queue, queueTimeoutMs: queueTimeout }
}

type CircuitConfig = NonNullable<UpstreamConfig['circuitBreaker']>

function circuitOptions({ window, slowCall, openFor, ...rest }: CircuitConfig): CircuitOptions {
  return { ...rest, windowMs: window, slowCallMs: slowCall, openForMs: openFor }
}

/** What `/health` and the metrics say of an upstream. */
function statusOf({ upstream, discovery }: Held): UpstreamStatus {
  const { name, endpoints, circuit, fallbacks } = upstream
  const targets = endpoints.map((endpoint) => {
    const { url, healthy, healthReason: reason, changedAt, changes } = endpoint
    return {
      url,
      healthy,
      failing: endpoint.failing !== '',
      reason,
      changedAt,
      changes,
      circuit: circuitStatus(endpoint.circuit),
    }
  })
  return { name, targets, circuit: circuitStatus(circuit), fallbacks, discovery: discovery?.status }
}

function circuitStatus(circuit: Breaker | undefined): CircuitStatus | undefined {
  return circuit && { state: circuit.state(performance.now()), changes: circuit.changes }
}
