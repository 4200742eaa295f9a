import type { Upstream } from '../../../traffic/upstream.ts'
import type { ServiceOptions } from '../service-options.ts'
import { type ServingStatus, servingStatus } from './health-messages.ts'

/** What the health of a gateway is made from. */
export interface GatewayHealthOptions {
  /** What `/readyz` says. */
  ready(): boolean
  readonly services: readonly Pick<ServiceOptions, 'name' | 'destination'>[]
  /** Names of those that cannot be called yet. */
  readonly missing: ReadonlySet<string>
}

/** The health of one configuration in the words of `grpc.health.v1`. */
export class GatewayHealth {
  readonly #options: GatewayHealthOptions
  readonly #services: ReadonlyMap<string, Upstream>

  constructor(options: GatewayHealthOptions) {
    this.#options = options
    this.#services = new Map(options.services.map(({ name, destination }) => [name, destination.upstream]))
  }

  /** Whether the gateway takes requests at all. */
  get ready(): boolean {
    return this.#options.ready()
  }

  /** `''`: the gateway itself. A service serves while a target of its upstream takes calls; undefined when there is no such service. */
  statusOf(service: string): ServingStatus | undefined {
    if (service === '') return this.ready ? servingStatus.serving : servingStatus.notServing
    const upstream = this.#services.get(service)
    if (upstream === undefined) return undefined
    const serves =
      this.ready &&
      !this.#options.missing.has(service) &&
      upstream.endpoints.some((endpoint) => endpoint.available(performance.now()))
    return serves ? servingStatus.serving : servingStatus.notServing
  }

  all(): ReadonlyMap<string, ServingStatus> {
    const statuses = new Map<string, ServingStatus>()
    for (const name of ['', ...this.#services.keys()]) {
      const status = this.statusOf(name)
      if (status !== undefined) statuses.set(name, status)
    }
    return statuses
  }
}
