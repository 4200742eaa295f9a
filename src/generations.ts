import { isDeepStrictEqual } from 'node:util'
import type { UpstreamStatus } from './admin/health.ts'
import type { BuildContext } from './build.ts'
import type { Config } from './config/schema.ts'
import { SeenFiles } from './config/seen-files.ts'
import { FileWatcher } from './config/watch.ts'
import { messageOf } from './core/message-of.ts'
import { type BuiltGeneration, buildGeneration } from './generation.ts'
import { KeptState } from './kept-state.ts'
import { type ReflectionStatus, Reflections } from './reflections.ts'
import { readSource, type Source, type SourceOptions } from './source.ts'

/** What a gateway's configurations are read from and built with. */
export interface GenerationsOptions
  extends Pick<
    BuildContext,
    'log' | 'metrics' | 'now' | 'ready' | 'redis' | 'upstreams' | 'identity' | 'releases'
  > {
  readonly source: SourceOptions
  /** Whether a change of the files is applied by itself. */
  readonly watch: boolean
  /** Whether backends are asked to describe themselves. */
  readonly reflect: boolean
  /** Told of each reload when it is decided. */
  onDecided(result: 'applied' | 'refused'): void
}

/** The configurations of a gateway one after the other: which one takes requests, and how the next takes its place. */
export class Generations {
  readonly #options: GenerationsOptions
  readonly #kept = new KeptState()
  readonly #watcher: FileWatcher
  readonly #reflections: Reflections
  readonly #retiring = new Set<Promise<void>>()
  #current: BuiltGeneration | undefined
  #first: Config | undefined
  #version = 0
  #refused: string | undefined
  #closed = false
  #deciding: Promise<unknown> = Promise.resolve()

  constructor(options: GenerationsOptions) {
    this.#options = options
    this.#watcher = new FileWatcher(() => void this.reload())
    this.#reflections = new Reflections({ log: options.log, onChange: () => void this.#reloadReflected() })
  }

  /** The one that takes new requests; throws before {@link start}. */
  get current(): BuiltGeneration {
    if (this.#current === undefined) throw new Error('the gateway has no configuration yet')
    return this.#current
  }

  /** Counted from 1. */
  get version(): number {
    return this.#version
  }

  /** The mistakes of the last reload, when it was refused. */
  get refused(): string | undefined {
    return this.#refused
  }

  /** Called once, with the first configuration and what it was read from. Throws a ConfigError. */
  async start(source: Source, files: SeenFiles): Promise<void> {
    await this.#applyWhatLoads(source, { forNews: false })
    this.#first = source.loaded.config
    this.#watch(files)
  }

  /** Resolves when the next configuration is decided, true when it was applied. Reloads take turns. */
  reload(): Promise<boolean> {
    return this.#inTurn(() => this.#reload((source) => this.#applyWhatLoads(source, { forNews: false })))
  }

  /** How the upstreams of the running configuration are, for people. */
  upstreams(): UpstreamStatus[] {
    return this.#options.upstreams.status(this.current.upstreams)
  }

  /** What the backends have on offer of these configurations, for people. */
  reflections(): readonly ReflectionStatus[] {
    return this.#reflections.status()
  }

  /** No more reloads. */
  freeze(): void {
    this.#closed = true
    this.#watcher.close()
  }

  /** Resolves when the last request of every configuration has settled and everything is freed. */
  async close(): Promise<void> {
    this.freeze()
    await this.#deciding
    this.#retire(this.#current)
    await Promise.all(this.#retiring)
  }

  /** A backend describes itself anew. When nothing of that loads, nothing changes. */
  #reloadReflected(): Promise<boolean> {
    return this.#inTurn(async () => {
      // A reload that was under way may have taken it in already.
      if (!this.#reflections.hasNews) return false
      return await this.#reload((source) => this.#applyWhatLoads(source, { forNews: true }))
    })
  }

  #inTurn(decide: () => Promise<boolean>): Promise<boolean> {
    const decided = this.#deciding.then(decide)
    this.#deciding = decided
    return decided
  }

  async #reload(apply: (source: Source) => Promise<void>): Promise<boolean> {
    if (this.#closed) return false
    const { log, source, onDecided } = this.#options
    const files = new SeenFiles()
    try {
      await apply(await readSource(source, files))
      this.#refused = undefined
      onDecided('applied')
      log.info({ 'gateway.config_version': this.#version }, 'configuration applied')
      this.#warnOfRestart()
      return true
    } catch (error) {
      this.#refused = messageOf(error)
      onDecided('refused')
      log.error({ problems: this.#refused.split('\n') }, 'configuration refused; the old one keeps running')
      return false
    } finally {
      // Also of a refused one: the file that is missing in it is what will change next.
      this.#watch(files)
    }
  }

  /**
   * With all that the backends describe, or else without what is new in that and does not load: they must not keep a configuration or a
   * start from running. `forNews`: news of the backends are the only reason to apply it.
   */
  async #applyWhatLoads(source: Source, { forNews }: { readonly forNews: boolean }): Promise<void> {
    // Each turn sets something aside.
    for (let forgive = !forNews; ; forgive = false) {
      try {
        await this.#apply(source, { forgive })
        return
      } catch (error) {
        const reason = messageOf(error)
        const isTheirs = this.#reflections.refuse(reason)
        if (!isTheirs || (forNews && !this.#reflections.hasNews)) throw error
        this.#options.log.error({ problems: reason.split('\n') }, 'what a backend describes is refused')
      }
    }
  }

  async #apply({ loaded, definitions }: Source, { forgive }: { readonly forgive: boolean }): Promise<void> {
    const next = await buildGeneration(loaded, {
      ...this.#options,
      definitions,
      configVersion: this.#version + 1,
      kept: this.#kept,
      reflections: this.#options.reflect ? this.#reflections : undefined,
    })
    const old = this.#current
    this.#current = next
    this.#version++
    this.#options.upstreams.startProbes()
    this.#reflections.accept(forgive)
    this.#retire(old)
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

  #watch(files: SeenFiles): void {
    if (this.#options.watch && !this.#closed) this.#watcher.watch(files)
  }

  /** The port, its limits, the stores and the log are made once: silence about a change there would be a trap. */
  #warnOfRestart(): void {
    if (this.#first === undefined) return
    const now = onlyAtStart(this.current.config)
    const before = onlyAtStart(this.#first)
    const keys = Object.keys(now).filter((key) => !isDeepStrictEqual(now[key], before[key]))
    if (keys.length > 0) this.#options.log.warn({ keys }, 'changed keys that take effect at the next start')
  }
}

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
    'auth.revocation': { maxEntries: auth.revocation.maxEntries, required: auth.revocation.required },
    stores,
    observability,
  }
}
