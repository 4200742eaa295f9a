import { z } from 'zod'
import type { GatewayError } from '../core/error.ts'
import { type Exchange, Slot } from '../core/exchange.ts'
import type { Plugin } from '../core/plugin.ts'
import type { Reason } from '../core/reason.ts'
import type { Route } from '../core/route.ts'
import { definePlugin, type PluginDefinition, type PluginHost } from '../pipeline/registry.ts'
import { GrpcCalls } from './grpc-calls.ts'
import { type Cell, counter, type Family, gauge, histogram, type Series } from './instruments.ts'
import { OperationNames } from './operation-names.ts'
import { upstreamMs } from './timing.ts'

/** Counts and times every exchange for `/metrics`; names and labels are those of docs/conventions.md, "Metrics". */
export const metrics: PluginDefinition = definePlugin({
  name: 'metrics',
  options: z.strictObject({
    operations: z
      .array(z.string().min(1).max(64))
      .max(1_000)
      .default([])
      .describe(
        'Names of GraphQL operations that are labels from the first time. Of the others 200 become labels, each when it was answered ten times; the rest is __other__.',
      ),
  }),
  create: ({ operations }, host): Plugin => new Metrics(host, operations),
})

const durationBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
const overheadBounds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5]
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
const active = new Slot<Cell>('metrics.active')

/** What the exchanges of one route and method are counted in. */
interface MethodSeries {
  readonly duration: Series
  readonly byStatus: Map<number, Cell>
}

class Metrics implements Plugin {
  readonly #requests: Family<Cell>
  readonly #durations: Family<Series>
  readonly #upstreams: Family<Series>
  readonly #overhead: Series
  readonly #active: Readonly<Record<Route['protocol'], Cell>>
  readonly #errors: Family<Cell>
  readonly #authFailures: Family<Cell>
  readonly #operations: Family<Cell>
  readonly #refusals: Family<Cell>
  readonly #operationNames: OperationNames
  readonly #grpcCalls: GrpcCalls
  readonly #byUpstream = new Map<string, Series>()
  readonly #byRoute = new WeakMap<Route, Map<string, MethodSeries>>()

  constructor(host: PluginHost, operations: readonly string[]) {
    const registry = host.metrics
    this.#operationNames = host.keep('metrics:operationNames', () => new OperationNames())
    this.#operationNames.known(operations)
    const spec = (name: string, help: string, ...labelNames: string[]) => ({ name, help, labelNames })
    this.#requests = counter(
      registry,
      spec('gateway_requests_total', 'Settled exchanges.', 'protocol', 'route', 'method', 'status'),
    )
    this.#durations = histogram(
      registry,
      spec(
        'gateway_request_duration_seconds',
        'From request to settled, streams and WebSockets aside.',
        'protocol',
        'route',
        'method',
      ),
      durationBounds,
    )
    this.#upstreams = histogram(
      registry,
      spec('gateway_upstream_duration_seconds', 'From call to the head of its answer.', 'upstream'),
      durationBounds,
    )
    this.#overhead = histogram(
      registry,
      spec(
        'gateway_overhead_seconds',
        'From request to the head of the answer, without the time of upstreams.',
      ),
      overheadBounds,
    ).labels()
    const inFlight = gauge(
      registry,
      spec('gateway_active_requests', 'Exchanges that have not settled.', 'protocol'),
    )
    this.#active = {
      rest: inFlight.labels('rest'),
      graphql: inFlight.labels('graphql'),
      grpc: inFlight.labels('grpc'),
    }
    this.#errors = counter(
      registry,
      spec('gateway_errors_total', 'Refused and failed exchanges.', 'code', 'source'),
    )
    this.#authFailures = counter(
      registry,
      spec('gateway_auth_failures_total', 'Exchanges refused for who the caller is or is not.', 'reason'),
    )
    this.#refusals = counter(
      registry,
      spec('gateway_graphql_refusals_total', 'GraphQL requests that were refused before they ran.', 'reason'),
    )
    this.#grpcCalls = new GrpcCalls(registry)
    this.#operations = counter(
      registry,
      spec('gateway_graphql_operations_total', 'GraphQL operations.', 'operation', 'type', 'outcome'),
    )
  }

  onRequest(x: Exchange): void {
    const cell = this.#active[x.route.protocol]
    cell.value++
    x.set(active, cell)
  }

  onReply(x: Exchange): void {
    const totalMs = performance.now() - x.request.startedAt
    this.#overhead.observe((totalMs - upstreamMs(x, totalMs)) / 1_000)
  }

  onSettled(x: Exchange): void {
    // An earlier plugin may have refused before onRequest came here.
    const cell = x.get(active)
    if (cell !== undefined) cell.value--
    const series = this.#seriesOf(x.route, x.request.method)
    if (!x.lasting) series.duration.observe((performance.now() - x.request.startedAt) / 1_000)
    let requests = series.byStatus.get(x.status)
    if (requests === undefined) {
      const method = methodLabel(x.request.method)
      requests = this.#requests.labels(x.route.protocol, x.route.id, method, String(x.status))
      series.byStatus.set(x.status, requests)
    }
    requests.value++
    for (let i = 0; i < x.calls.length; i++) {
      const call = x.calls[i]
      if (call !== undefined && call.shared !== true)
        this.#upstreamSeries(call.upstreamName).observe(call.durationMs / 1_000)
    }
    if (x.error !== undefined) this.#countError(x.error)
    if (x.route.protocol === 'grpc') this.#grpcCalls.count(x)
    if (x.route.protocol !== 'graphql') return
    if (x.error !== undefined && x.error.status < 500) this.#refusals.labels(x.error.reason).value++
    this.#countOperation(x)
  }

  #seriesOf(route: Route, method: string): MethodSeries {
    let byMethod = this.#byRoute.get(route)
    if (byMethod === undefined) {
      byMethod = new Map()
      this.#byRoute.set(route, byMethod)
    }
    const label = methodLabel(method)
    let series = byMethod.get(label)
    if (series === undefined) {
      series = { duration: this.#durations.labels(route.protocol, route.id, label), byStatus: new Map() }
      byMethod.set(label, series)
    }
    return series
  }

  #upstreamSeries(name: string): Series {
    let series = this.#byUpstream.get(name)
    if (series === undefined) {
      series = this.#upstreams.labels(name)
      this.#byUpstream.set(name, series)
    }
    return series
  }

  #countError(error: GatewayError): void {
    this.#errors.labels(error.entry.number, sourceOf(error)).value++
    if (authReasons.has(error.reason)) this.#authFailures.labels(error.reason).value++
  }

  #countOperation(x: Exchange): void {
    const type = operationTypes.get(x.attributes['graphql.operation.type'])
    if (type === undefined) return
    const failed = x.error !== undefined || x.status >= 400 || Number(x.attributes['graphql.errors'] ?? 0) > 0
    const name = this.#operationNames.label(String(x.attributes['graphql.operation.name'] ?? ''), failed)
    this.#operations.labels(name, type, failed ? 'error' : 'ok').value++
  }
}

const operationTypes = new Map<unknown, string>([
  ['query', 'query'],
  ['mutation', 'mutation'],
  ['subscription', 'subscription'],
])

const authReasons: ReadonlySet<Reason> = new Set([
  'NO_CREDENTIALS',
  'KEY_INVALID',
  'KEY_EXPIRED',
  'JWT_INVALID',
  'JWT_EXPIRED',
  'TOKEN_REVOKED',
  'KEY_REVOKED',
  'LOGIN_FAILED',
  'TOO_MANY_ATTEMPTS',
  'ROLE_MISSING',
  'SCOPE_MISSING',
  'CLAIM_MISSING',
  'POLICY_REFUSED',
])

/** Who is to look: the client below 500, the upstream where it failed or was not there, else the gateway. */
function sourceOf({ entry, reason }: GatewayError): string {
  if (entry.status < 500) return 'client'
  return entry.status === 502 || entry.status === 504 || reason === 'NO_HEALTHY_TARGET'
    ? 'upstream'
    : 'gateway'
}

function methodLabel(method: string): string {
  return methods.has(method) ? method : 'OTHER'
}
