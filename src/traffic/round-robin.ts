import type { Endpoint } from './endpoint.ts'

/**
 * Smooth weighted round robin, as nginx does it: each pick raises every available endpoint by its weight and takes the total
 * from the chosen one, so that weights 5, 1, 1 give a-a-b-a-c-a-a and never five in a row.
 */
export class RoundRobin {
  readonly #endpoints: readonly Endpoint[]
  readonly #current: number[]

  constructor(endpoints: readonly Endpoint[]) {
    this.#endpoints = endpoints
    this.#current = endpoints.map(() => 0)
  }

  /** The next available endpoint, preferably not `avoid`; undefined when none is available. */
  pick(avoid: Endpoint | undefined): Endpoint | undefined {
    return this.#pick(avoid) ?? (avoid?.available() === true ? avoid : undefined)
  }

  #pick(avoid: Endpoint | undefined): Endpoint | undefined {
    let total = 0
    let best = -1
    for (let i = 0; i < this.#endpoints.length; i++) {
      const endpoint = this.#endpoints[i] as Endpoint
      if (endpoint === avoid || !endpoint.available()) continue
      total += endpoint.weight
      const raised = (this.#current[i] as number) + endpoint.weight
      this.#current[i] = raised
      if (best === -1 || raised > (this.#current[best] as number)) best = i
    }
    if (best === -1) return undefined
    this.#current[best] = (this.#current[best] as number) - total
    return this.#endpoints[best]
  }
}
