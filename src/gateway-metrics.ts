import { Counter, Gauge, type Registry } from 'prom-client'
import { type GatewayStatus, isUp, type TargetStatus } from './admin/health.ts'
import { circuitMetrics } from './circuit-metrics.ts'
import type { GatewayError } from './core/error.ts'
import { databaseMetrics } from './database-metrics.ts'
import { registerProcessMetrics } from './process-metrics.ts'
import { registerReadinessMetrics } from './readiness-metrics.ts'
import { supergraphMetrics } from './supergraph-metrics.ts'
import { registerTargetMetrics } from './target-metrics.ts'

/** Metrics of the gateway itself; those of exchanges belong to the `metrics` plugin. */
export class GatewayMetrics {
  readonly #reloads: Counter<'result'>
  readonly #refused: Counter<'code'>
  readonly #failedHandshakes: Counter<'reason'>
  readonly #refusedConnections: Counter<'reason'>

  constructor(
    registry: Registry,
    options: { readonly processMetrics: boolean },
    askStatus: () => Promise<GatewayStatus>,
  ) {
    const registers = [registry]
    const status = once(askStatus)
    if (options.processMetrics) registerProcessMetrics(registry)
    registerReadinessMetrics(registry, status)
    this.#reloads = new Counter({
      name: 'gateway_config_reloads_total',
      help: 'Configurations that were applied or refused since the start.',
      labelNames: ['result'],
      registers,
    })
    this.#refused = new Counter({
      name: 'gateway_wire_refusals_total',
      help: 'Requests refused before they could be read as HTTP.',
      labelNames: ['code'],
      registers,
    })
    this.#failedHandshakes = new Counter({
      name: 'gateway_tls_handshake_failures_total',
      help: 'Client connections that came to nothing in the handshake of TLS.',
      labelNames: ['reason'],
      registers,
    })
    this.#refusedConnections = new Counter({
      name: 'gateway_connections_refused_total',
      help: 'Client connections that were closed as they came.',
      labelNames: ['reason'],
      registers,
    })
    for (const result of ['applied', 'refused']) this.#reloads.inc({ result }, 0)
    new Gauge({
      name: 'gateway_tls_certificate_expiry_timestamp_seconds',
      help: 'When a certificate that clients are shown ends, Unix time.',
      labelNames: ['certificate'],
      registers,
      async collect() {
        this.reset()
        for (const { name, expiresAt } of (await status()).certificates) {
          this.set({ certificate: name }, expiresAt / 1000)
        }
      },
    })
    registerTargetMetrics(registry, async () => (await status()).upstreams)
    new Counter({
      name: 'gateway_shed_total',
      help: 'Requests that were refused because the gateway was overloaded.',
      labelNames: ['reason'],
      registers,
      async collect() {
        this.reset()
        for (const [reason, { total }] of Object.entries((await status()).shed)) this.inc({ reason }, total)
      },
    })
    const gauge = (name: string, help: string, read: (now: GatewayStatus) => number): void => {
      new Gauge({
        name,
        help,
        registers,
        async collect() {
          this.set(read(await status()))
        },
      })
    }
    gauge('gateway_active_connections', 'Open client connections.', (now) => now.activeConnections)
    gauge('gateway_active_routes', 'Rows of the routing table.', (now) => now.routes)
    gauge(
      'gateway_config_version',
      'Version of the running configuration; 0: the file, while the database was gone.',
      (now) => now.config.version,
    )
    gauge(
      'gateway_config_wanted_version',
      'Newest version that this gateway knows of, whether it could be applied or not.',
      (now) => now.config.wanted,
    )
    gauge(
      'gateway_healthy_instances',
      'Targets that take traffic.',
      (now) => targetsOf(now).filter(isUp).length,
    )
    new Gauge({
      name: 'gateway_upstream_healthy',
      help: 'Whether a target takes traffic (1) or is out (0).',
      labelNames: ['upstream', 'target'],
      registers,
      async collect() {
        this.reset()
        for (const { name, targets } of (await status()).upstreams) {
          for (const target of targets) this.set({ upstream: name, target: target.url }, isUp(target) ? 1 : 0)
        }
      },
    })
    new Gauge({
      name: 'gateway_identity_provider_up',
      help: 'Whether an outside service that callers are checked with answers (1) or did not the last time (0).',
      labelNames: ['provider'],
      registers,
      async collect() {
        this.reset()
        for (const { name, trouble } of (await status()).identityProviders)
          this.set({ provider: name }, trouble === undefined ? 1 : 0)
      },
    })
    circuitMetrics(registry, status)
    databaseMetrics(registry, async () => (await status()).database)
    supergraphMetrics(registry, async () => (await status()).supergraph)
  }

  reloaded(result: 'applied' | 'refused'): void {
    this.#reloads.inc({ result })
  }

  failedHandshake(reason: string): void {
    this.#failedHandshakes.inc({ reason })
  }

  refusedConnection(reason: string): void {
    this.#refusedConnections.inc({ reason })
  }

  refusedOnTheWire(error: GatewayError): void {
    this.#refused.inc({ code: error.entry.number })
  }
}

/** All metrics of one scrape are asked for in the same turn: they share one answer. */
function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined
  return () => {
    asked ??= ask().finally(() => {
      asked = undefined
    })
    return asked
  }
}

function targetsOf(status: GatewayStatus): readonly TargetStatus[] {
  return status.upstreams.flatMap((upstream) => upstream.targets)
}
