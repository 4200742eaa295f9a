import type { Finding, Provider } from './provider.ts'
import type { ServiceRegistry } from './service-registry.ts'

/** Follows one service of the gateway's own registry. */
export class RegistryProvider implements Provider {
  readonly #registry: ServiceRegistry
  readonly #service: string
  #end: (() => void) | undefined

  constructor(registry: ServiceRegistry, service: string) {
    this.#registry = registry
    this.#service = service
  }

  watch(report: (finding: Finding) => void): void {
    const tell = (): void => report(this.#finding())
    this.#end = this.#registry.watch(this.#service, tell)
    tell()
  }

  close(): void {
    this.#end?.()
  }

  #finding(): Finding {
    const instances = this.#registry.instances(this.#service)
    const targets = instances.map(({ url, weight, priority }) => ({ url, weight, priority }))
    if (targets.length === 0) return { targets, trouble: `no instance of ${this.#service} is registered` }
    if (instances.some(({ expired }) => expired))
      return { targets, trouble: `the heartbeats of the last instance of ${this.#service} have stopped` }
    return { targets }
  }
}
