import { Counter, Gauge, type Registry } from 'prom-client'
import type { GatewayStatus } from './admin/health.ts'

/** Metrics of limits that requests run into: those of upstreams, and the gateway's own. Counted elsewhere, read when they are asked for. */
export function overloadMetrics(registry: Registry, status: () => Promise<GatewayStatus>): void {
  const registers = [registry]
  const labelNames = ['upstream']
  new Gauge({
    name: 'gateway_upstream_in_flight',
    help: 'Calls to an upstream that have not ended.',
    labelNames,
    registers,
    async collect() {
      this.reset()
      for (const { name, inFlight } of (await status()).upstreams) this.set({ upstream: name }, inFlight)
    },
  })
  new Gauge({
    name: 'gateway_upstream_queued',
    help: 'Calls that wait for their turn at an upstream.',
    labelNames,
    registers,
    async collect() {
      this.reset()
      for (const { name, queued } of (await status()).upstreams) this.set({ upstream: name }, queued)
    },
  })
  new Counter({
    name: 'gateway_upstream_rejected_total',
    help: 'Calls that found the queue of an upstream full, or waited in it for too long.',
    labelNames: ['upstream', 'reason'],
    registers,
    async collect() {
      this.reset()
      for (const { name, rejected } of (await status()).upstreams) {
        for (const [reason, count] of Object.entries(rejected)) this.inc({ upstream: name, reason }, count)
      }
    },
  })
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
}
