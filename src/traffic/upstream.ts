import { type ConnectionOptions, Endpoint, type TargetOptions } from './endpoint.ts'
import { RoundRobin } from './round-robin.ts'

/** How an upstream is reached; every duration in milliseconds. */
export interface UpstreamOptions {
  readonly targets: readonly TargetOptions[]
  readonly connections: ConnectionOptions
  /** From sending a request to the head of its answer, per call (all attempts together). 0: no limit. */
  readonly requestTimeoutMs: number
  /** Between two pieces of a body. 0: no limit. */
  readonly bodyIdleTimeoutMs: number
  /** Tries at the most, the first included. */
  readonly maxAttempts: number
}

/** A named group of endpoints that answer alike. */
export class Upstream {
  readonly name: string
  readonly options: UpstreamOptions
  readonly endpoints: readonly Endpoint[]
  readonly #balancer: RoundRobin

  constructor(name: string, options: UpstreamOptions) {
    this.name = name
    this.options = options
    this.endpoints = options.targets.map((target) => new Endpoint(target, options.connections))
    this.#balancer = new RoundRobin(this.endpoints)
  }

  /** The endpoint for the next attempt, another than `avoid` when there is one; undefined when none is available. */
  pick(avoid: Endpoint | undefined): Endpoint | undefined {
    return this.#balancer.pick(avoid)
  }

  async close(): Promise<void> {
    await Promise.all(this.endpoints.map((endpoint) => endpoint.close()))
  }
}
