import type { Config, UpstreamConfig } from './config/schema.ts'
import type { Logger } from './core/log.ts'
import type { Reflector } from './front-ends/grpc/gather-descriptors.ts'
import type { ReflectedSchema } from './front-ends/grpc/reflection/reflected-schema.ts'
import type { Upstream } from './traffic/upstream.ts'

/** One entry of `grpc.reflection`. */
export type ReflectionConfig = NonNullable<Config['grpc']>['reflection'][number]

/** How the descriptors of one upstream are, for people. */
export interface ReflectionStatus {
  readonly upstream: string
  /** Undefined when all is well. */
  readonly trouble: string | undefined
}

interface Held {
  readonly fingerprint: string
  readonly schema: ReflectedSchema
  /** Configurations that use it. */
  users: number
  /** Whether one of them runs, or did. */
  proven: boolean
}

/** What the backends of all live configurations say of themselves; it outlives a reload, so that a backend that is down is not forgotten. */
export class Reflections {
  #held: Held[] = []
  readonly #log: Logger
  readonly #onChange: () => void

  constructor(options: { readonly log: Logger; onChange(): void }) {
    this.#log = options.log
    this.#onChange = options.onChange
  }

  /** Give it back with the returned `release`. */
  async take(
    config: ReflectionConfig,
    { upstream, upstreamConfig }: { readonly upstream: Upstream; readonly upstreamConfig: UpstreamConfig },
  ): Promise<{ readonly schema: ReflectedSchema; release(): void }> {
    const { ReflectedSchema } = await import('./front-ends/grpc/reflection/reflected-schema.ts')
    const fingerprint = JSON.stringify([config, upstreamConfig])
    let held = this.#held.find((other) => other.fingerprint === fingerprint)
    if (held === undefined) {
      const schema = new ReflectedSchema(upstream, {
        intervalMs: config.interval,
        timeoutMs: config.timeout,
        log: this.#log,
        onChange: this.#onChange,
        inherited: this.#held.findLast((other) => other.schema.upstream.name === upstream.name)?.schema.good,
      })
      held = { fingerprint, schema, users: 0, proven: false }
      this.#held.push(held)
    }
    const taken = held
    taken.users++
    const release = (): void => {
      taken.users--
      // That of a configuration that did not build is kept for the next attempt, which must know why.
      if (taken.proven) this.#dropUnused()
    }
    return { schema: taken.schema, release }
  }

  /** A configuration runs: what it was built with is good from now on. `forgive`: what was refused may be tried again. */
  accept(forgive: boolean): void {
    this.#dropUnused()
    for (const held of this.#held) {
      held.proven = true
      held.schema.accept(forgive)
    }
  }

  /**
   * A configuration did not build: what was new in it is set aside, of the upstreams that the reason names or else of all. False when
   * nothing was.
   */
  refuse(reason: string): boolean {
    const suspects = this.#held.map(({ schema }) => schema).filter(({ isSuspect }) => isSuspect)
    const named = suspects.filter(({ name }) => reason.includes(name))
    const refused = named.length > 0 ? named : suspects
    for (const schema of refused) schema.refuse(reason)
    return refused.length > 0
  }

  /** Whether a backend describes something that no configuration was built with yet. */
  get hasNews(): boolean {
    return this.#held.some(({ schema }) => schema.hasNews)
  }

  #dropUnused(): void {
    for (const { users, schema } of this.#held) if (users === 0) schema.close()
    this.#held = this.#held.filter(({ users }) => users > 0)
  }

  status(): ReflectionStatus[] {
    return this.#held.map(({ schema }) => ({ upstream: schema.upstream.name, trouble: schema.trouble }))
  }
}

/** What stands in for a backend of a gateway that is only looked into. */
export function notAsked(upstream: Upstream): Reflector {
  const missing = (services: readonly string[]): ReadonlyMap<string, string> =>
    new Map(services.map((service) => [service, 'is not asked for']))
  return { upstream, describe: async (services) => ({ source: undefined, missing: missing(services) }) }
}
