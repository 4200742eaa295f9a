import { Gauge, type Registry } from 'prom-client'
import { type GatewayStatus, isUp, readinessReport } from './admin/health.ts'

/** Registers what `/readyz` and `/health` say, as numbers: whether it is ready, its stores, its configuration, its targets. */
export function registerReadinessMetrics(registry: Registry, status: () => Promise<GatewayStatus>): void {
  const registers = [registry]
  new Gauge({
    name: 'gateway_build_info',
    help: 'Always 1; which gateway and which Node it is.',
    labelNames: ['version', 'node'],
    registers,
    async collect() {
      this.set({ version: (await status()).version, node: process.versions.node }, 1)
    },
  })
  const gauge = (name: string, help: string, read: (now: GatewayStatus) => boolean | undefined): void => {
    new Gauge({
      name,
      help,
      registers,
      async collect() {
        const yes = read(await status())
        if (yes === undefined) this.remove()
        else this.set(yes ? 1 : 0)
      },
    })
  }
  gauge(
    'gateway_ready',
    'Whether /readyz says that requests may be sent here (1) or not (0).',
    (now) => readinessReport(now).ready,
  )
  gauge(
    'gateway_config_last_reload_successful',
    'Whether the last configuration that was tried is running (1) or was refused (0).',
    ({ config }) => config.refused === undefined,
  )
  gauge(
    'gateway_redis_up',
    'Whether Redis is connected (1) or not (0); none where none is configured.',
    ({ redis }) => redis && redis === 'up',
  )
  const targets = (name: string, help: string, read: (targets: readonly Target[]) => number): void => {
    new Gauge({
      name,
      help,
      labelNames: ['upstream'],
      registers,
      async collect() {
        this.reset()
        for (const upstream of (await status()).upstreams)
          this.set({ upstream: upstream.name }, read(upstream.targets))
      },
    })
  }
  targets('gateway_upstream_targets', 'Targets of an upstream.', ({ length }) => length)
  targets(
    'gateway_upstream_targets_healthy',
    'Targets of an upstream that take traffic.',
    (of) => of.filter(isUp).length,
  )
}

type Target = GatewayStatus['upstreams'][number]['targets'][number]
