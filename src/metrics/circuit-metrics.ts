import { Counter, Gauge, type Registry } from 'prom-client'
import type { CircuitState, CircuitStatus, GatewayStatus, UpstreamStatus } from '../admin/health.ts'

/** Metrics of circuits and fallbacks, read from their memory when they are asked for. */
export function circuitMetrics(registry: Registry, status: () => Promise<GatewayStatus>): void {
  const registers = [registry]
  new Gauge({
    name: 'gateway_circuit_breaker_state',
    help: 'Circuit of an upstream (target empty) or of a target: 0 closed, 1 half open, 2 open.',
    labelNames: ['upstream', 'target'],
    registers,
    async collect() {
      this.reset()
      for (const { labels, circuit } of circuitsOf(await status())) this.set(labels, numbers[circuit.state])
    },
  })
  new Counter({
    name: 'gateway_circuit_breaker_transitions_total',
    help: 'How often a circuit changed its state.',
    labelNames: ['upstream', 'target', 'to'],
    registers,
    async collect() {
      this.reset()
      for (const { labels, circuit } of circuitsOf(await status()))
        for (const [to, times] of Object.entries(circuit.changes)) this.inc({ ...labels, to }, times)
    },
  })
  new Counter({
    name: 'gateway_fallbacks_total',
    help: 'Calls that a fallback took, another upstream or a static answer, by the upstream that failed.',
    labelNames: ['upstream'],
    registers,
    async collect() {
      this.reset()
      for (const { name, fallbacks } of (await status()).upstreams) this.inc({ upstream: name }, fallbacks)
    },
  })
}

const numbers: Readonly<Record<CircuitState, number>> = { closed: 0, half_open: 1, open: 2 }

interface LabelledCircuit {
  readonly labels: { readonly upstream: string; readonly target: string }
  readonly circuit: CircuitStatus
}

function circuitsOf({ upstreams }: GatewayStatus): LabelledCircuit[] {
  const labelled = (
    upstream: string,
    target: string,
    circuit: CircuitStatus | undefined,
  ): LabelledCircuit[] => (circuit === undefined ? [] : [{ labels: { upstream, target }, circuit }])
  return upstreams.flatMap(({ name, circuit, targets }: UpstreamStatus) => [
    ...labelled(name, '', circuit),
    ...targets.flatMap((target) => labelled(name, target.url, target.circuit)),
  ])
}
