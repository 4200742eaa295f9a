import { isDeepStrictEqual } from 'node:util'
import type { UpstreamStatus } from './admin/health.ts'
import type { BuildContext } from './build.ts'
import type { Config } from './config/schema.ts'
import { messageOf } from './core/message-of.ts'
import { type BuiltGeneration, buildGeneration } from './generation.ts'
import { KeptState } from './kept-state.ts'
import { type ReflectionStatus, Reflections } from './reflections.ts'
import type { Source } from './source.ts'

/** What a gateway's configurations are built with. */
export interface GenerationsOptions
  extends Pick<
    BuildContext,
    'log' | 'metrics' | 'now' | 'ready' | 'redis' | 'upstreams' | 'identity' | 'observers'
  > {
  /** Whether backends are asked to describe themselves. */
  readonly reflect: boolean
  /** A backend describes itself anew: what runs is to be built again. */
  onNews(): void
}

/** A configuration that is built and does not run yet. One of both is called, once. */
export interface Prepared {
  readonly config: Config
  /** It takes the new requests from now on. */
  take(): void
  /** It is not wanted. */
  drop(): Promise<void>
}

export interface PrepareOptions {
  /** What it is called. */
  readonly version: number
  /** Whether news of the backends are the only reason for it: then nothing is set aside without need. Default false. */
  readonly forNews?: boolean
}

/** The configurations of a gateway one after the other: which one takes requests, and how the next takes its place. */
export class Generations {
  readonly #options: GenerationsOptions
  readonly #kept = new KeptState()
  readonly #reflections: Reflections
  readonly #retiring = new Set<Promise<void>>()
  #current: BuiltGeneration | undefined
  #first: Config | undefined
  #builds = 0

  constructor(options: GenerationsOptions) {
    this.#options = options
    this.#reflections = new Reflections({ log: options.log, onChange: () => options.onNews() })
  }

  /** The one that takes new requests; throws before the first was taken. */
  get current(): BuiltGeneration {
    if (this.#current === undefined) throw new Error('the gateway has no configuration yet')
    return this.#current
  }

  /** How many were taken. */
  get builds(): number {
    return this.#builds
  }

  /** Whether a backend describes something that does not run yet. */
  get hasNews(): boolean {
    return this.#reflections.hasNews
  }

  /**
   * Builds a configuration beside the one that runs, with all that the backends describe, or else without what is new in that and does not load: they
   * must not keep a configuration or a start from running. Throws a ConfigError; then nothing has changed.
   */
  async prepare(source: Source, { version, forNews = false }: PrepareOptions): Promise<Prepared> {
    // Each turn sets something aside.
    for (let forgive = !forNews; ; forgive = false) {
      try {
        return await this.#build(source, { version, forgive })
      } catch (error) {
        const reason = messageOf(error)
        const isTheirs = this.#reflections.refuse(reason)
        if (!isTheirs || (forNews && !this.#reflections.hasNews)) throw error
        this.#options.log.error({ problems: reason.split('\n') }, 'what a backend describes is refused')
      }
    }
  }

  /** How the upstreams of the running configuration are, for people. */
  upstreams(): UpstreamStatus[] {
    return this.#options.upstreams.status(this.current.upstreams)
  }

  /** What the backends have on offer of these configurations, for people. */
  reflections(): readonly ReflectionStatus[] {
    return this.#reflections.status()
  }

  /** The keys of the configuration that differ from those that the gateway was started with and cannot change while it runs. */
  waitingForStart(config = this.current.config): readonly string[] {
    if (this.#first === undefined) return []
    const now = onlyAtStart(config)
    const before = onlyAtStart(this.#first)
    return Object.keys(now).filter((key) => !isDeepStrictEqual(now[key], before[key]))
  }

  /** Resolves when the last request of every configuration has settled and everything is freed. */
  async close(): Promise<void> {
    this.#retire(this.#current)
    await Promise.all(this.#retiring)
  }

  async #build(
    { loaded, definitions }: Source,
    options: { version: number; forgive: boolean },
  ): Promise<Prepared> {
    const next = await buildGeneration(loaded, {
      ...this.#options,
      definitions,
      configVersion: options.version,
      kept: this.#kept,
      reflections: this.#options.reflect ? this.#reflections : undefined,
    })
    return {
      config: loaded.config,
      take: () => {
        const old = this.#current
        this.#current = next
        this.#first ??= loaded.config
        this.#builds++
        this.#options.upstreams.startProbes()
        this.#reflections.accept(options.forgive)
        this.#retire(old)
      },
      drop: () => next.retire(),
    }
  }

  #retire(generation: BuiltGeneration | undefined): void {
    if (generation === undefined) return
    const { log } = this.#options
    const retired = generation
      .retire()
      .catch((error: unknown) =>
        log.error({ error: messageOf(error) }, 'a configuration did not close cleanly'),
      )
      .finally(() => this.#retiring.delete(retired))
    this.#retiring.add(retired)
  }
}

/** The port, its limits, the stores and the log are made once. */
function onlyAtStart(config: Config): Readonly<Record<string, unknown>> {
  const { server, admin, stores, observability, auth } = config
  const { bodyBytes: _, ...limits } = server.limits
  const { listen, trustedProxies, proxyProtocol, tls, overload } = server
  return {
    'server.listen': listen,
    'server.tls': tls && { listen: tls.listen, clientAuth: tls.clientAuth },
    'server.trustedProxies': trustedProxies,
    'server.proxyProtocol': proxyProtocol,
    'server.limits': limits,
    'server.overload': overload,
    'admin.path': admin.path,
    'admin.listen': admin.listen,
    'auth.revocation': { maxEntries: auth.revocation.maxEntries, required: auth.revocation.required },
    stores,
    observability,
  }
}
