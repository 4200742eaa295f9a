import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Registry } from 'prom-client'
import { askUpstream } from './ask-upstream.ts'
import { buildCanary } from './build-canary.ts'
import { buildMirror } from './build-mirror.ts'
import type { CanaryConfig } from './config/canary-keys.ts'
import type { LoadedConfig } from './config/load.ts'
import type { MirrorConfig } from './config/mirror-keys.ts'
import { wordHint } from './config/nearest-word.ts'
import { ConfigError } from './config/problem.ts'
import type { Config, UpstreamConfig } from './config/schema.ts'
import type { Protocol } from './core/front-end.ts'
import type { Logger } from './core/log.ts'
import { messageOf } from './core/message-of.ts'
import type { Plugin } from './core/plugin.ts'
import type { PluginUse, Policy, Row } from './core/route.ts'
import type { Place } from './core/text-template.ts'
import { credentialHeaders } from './credential-headers.ts'
import type { Reflector } from './front-ends/grpc/gather-descriptors.ts'
import type { IdentityState } from './identity-state.ts'
import type { KeptState } from './kept-state.ts'
import type { PluginDefinition, PluginHost } from './pipeline/registry.ts'
import { PluginNames } from './plugin-names.ts'
import { notAsked, type ReflectionConfig, type Reflections } from './reflections.ts'
import type { RedisClient } from './store/redis.ts'
import { textPlace } from './text-place.ts'
import type { Canary } from './traffic/canary/canary.ts'
import type { Release } from './traffic/canary/release.ts'
import { Destination } from './traffic/destination.ts'
import type { Mirror } from './traffic/mirror/mirror.ts'
import type { Upstream } from './traffic/upstream.ts'
import type { Upstreams } from './upstreams.ts'

/** What a configuration is built with; shared by all generations of a gateway. */
export interface BuildContext {
  readonly definitions: readonly PluginDefinition[]
  readonly log: Logger
  readonly metrics: Registry
  /** The clock of plugins, Unix time in milliseconds. */
  now(): number
  readonly configVersion: number
  readonly redis: RedisClient | undefined
  readonly upstreams: Upstreams
  readonly identity: IdentityState
  readonly kept: KeptState
  /** What `/readyz` says. */
  ready(): boolean
  /** What is told of every exchange at its end, whatever a configuration of this version lists. */
  observers(configVersion: number): readonly Plugin[]
  /** Undefined: no backend is asked. */
  readonly reflections: Reflections | undefined
}

/** A configuration while it is built: what its parts share, where they were written, and what is to be freed when it ends. */
export class Build {
  readonly config: Config
  readonly log: Logger
  /** What paths in the configuration are relative to. */
  readonly folder: string
  readonly upstreams: ReadonlyMap<string, Upstream>
  /** What `/readyz` says. */
  readonly ready: () => boolean
  readonly identity: IdentityState
  readonly pluginNames = new PluginNames()
  /** After all plugins, everywhere. */
  readonly observers: readonly Plugin[]
  /** Whether others are asked anything; false for a gateway that is only looked into. */
  readonly isOnline: boolean
  /** By place. */
  readonly canaries = new Map<string, Release>()
  readonly #loaded: LoadedConfig
  readonly #context: BuildContext
  readonly #frees: (() => unknown)[] = []
  readonly #kept
  readonly #places = new Map<Row | Policy, readonly PropertyKey[]>()
  readonly #fallbacks = new Map<Upstream, Upstream>()
  readonly #mirrors: Mirror[] = []

  constructor(loaded: LoadedConfig, context: BuildContext) {
    this.config = loaded.config
    this.log = context.log
    this.folder = dirname(loaded.file)
    this.ready = context.ready
    this.isOnline = context.reflections !== undefined
    this.identity = context.identity
    this.observers = context.observers(context.configVersion)
    this.#loaded = loaded
    this.#context = context
    this.#kept = context.kept.open()
    this.onFree(() => this.#kept.release())
    this.upstreams = new Map(
      Object.entries(loaded.config.upstreams).map(([name, config]) => {
        const { upstream, release } = context.upstreams.take(name, config)
        this.onFree(release)
        return [name, upstream]
      }),
    )
    for (const [name, { fallback }] of Object.entries(loaded.config.upstreams))
      if (fallback !== undefined) this.#fallbacks.set(this.upstream(name), this.upstream(fallback.upstream))
    this.onFree(() => Promise.all(this.#mirrors.map((mirror) => mirror.close())))
  }

  /** Has `free` called when the configuration ends; last in, first out. */
  onFree(free: () => unknown): void {
    this.#frees.push(free)
  }

  /** Frees everything; a part that fails does not keep the others. Rejects with the first failure. */
  async free(): Promise<void> {
    const failures: unknown[] = []
    for (const free of this.#frees.splice(0).reverse()) {
      try {
        await free()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }

  /** Throws an Error for a name that there is not. */
  upstream(name: string): Upstream {
    const upstream = this.upstreams.get(name)
    if (upstream === undefined)
      throw new Error(`there is no upstream "${name}"${wordHint(name, [...this.upstreams.keys()])}`)
    return upstream
  }

  /** Where the calls of a place go; `place` is as {@link Destination} has it. */
  destination(place: string, { upstream: name = '', canary, mirror }: DestinationConfig): Destination {
    const stable = this.upstream(name)
    return new Destination(place, stable, {
      fallbacks: this.#fallbacks,
      canary: canary && this.#canary(place, stable, canary),
      mirror: mirror && this.#mirror(place, mirror),
    })
  }

  /**
   * @param row one of those that share a policy; undefined for what stands in no place of its own.
   * @param policy the one that a plugin stands in: that of the row, or the one around it.
   */
  host(row: Row | undefined, policy = row?.policy): PluginHost {
    const { log, metrics, now, configVersion, redis } = this.#context
    const place = this.textPlace(row?.protocol, row?.protocol === 'rest' ? row.template : undefined)
    const upstream: PluginHost['upstream'] = (name) =>
      askUpstream(this.destination(`plugin/${name}`, { upstream: name }))
    return { log, now, metrics, configVersion, redis, policy, place, upstream, keep: this.#kept.keep }
  }

  /** What texts may name in a place of one protocol (undefined: of all), routed by a REST template if there is one. */
  textPlace(protocol: Protocol | undefined, template: string | undefined): Place {
    return textPlace(template, { protocol, credentialHeaders: credentialHeaders(this.config) })
  }

  plugin(use: PluginUse, path: readonly PropertyKey[], host = this.host(undefined)): Plugin {
    const definition = this.#context.definitions.find(({ name }) => name === use.name)
    if (definition === undefined) throw this.error(path, `unknown plugin "${use.name}"`)
    try {
      const plugin = definition.create(use.options, host)
      this.onFree(() => plugin.close?.())
      return this.pluginNames.give(plugin, use.name)
    } catch (error) {
      throw this.error(path, messageOf(error))
    }
  }

  /** Notes a file that something else is going to read, so that it is watched. */
  see(file: string): void {
    this.#loaded.document.files.see(resolve(this.folder, file))
  }

  /** Notes a folder that a pattern chooses files from. */
  seeNames(folder: string): void {
    this.#loaded.document.files.seeNames(resolve(this.folder, folder))
  }

  /** The backends that describe themselves. */
  async reflections(configs: readonly ReflectionConfig[]): Promise<readonly Reflector[]> {
    const { reflections } = this.#context
    return await Promise.all(
      configs.map(async (config) => {
        const upstream = this.upstream(config.upstream)
        if (reflections === undefined) return notAsked(upstream)
        const upstreamConfig = this.config.upstreams[config.upstream] as UpstreamConfig
        const { schema, release } = await reflections.take(config, { upstream, upstreamConfig })
        this.onFree(release)
        return schema
      }),
    )
  }

  read(file: string, path: readonly PropertyKey[]): string {
    return this.readBytes(file, path).toString('utf8')
  }

  readBytes(file: string, path: readonly PropertyKey[]): Buffer {
    this.see(file)
    try {
      return readFileSync(resolve(this.folder, file))
    } catch (error) {
      throw this.error(path, `cannot be read: ${messageOf(error)}`)
    }
  }

  #canary(place: string, stable: Upstream, config: CanaryConfig): Canary {
    const upstream = this.upstream(config.upstream)
    const canary = buildCanary(config, { place, stable, upstream, host: this.host(undefined) })
    this.canaries.set(place, canary.release)
    return canary
  }

  #mirror(place: string, config: MirrorConfig): Mirror {
    const upstream = this.upstream(config.upstream)
    const mirror = buildMirror(config, { place, upstream, host: this.host(undefined) })
    this.#mirrors.push(mirror)
    return mirror
  }

  /** Remembers where a row was written, or a policy that is not that of the whole place of its rows, for messages about it. */
  place(of: Row | Policy, path: readonly PropertyKey[]): void {
    this.#places.set(of, path)
  }

  placeOf(row: Row): readonly PropertyKey[] {
    return this.#places.get(row) ?? []
  }

  policyPlaceOf(policy: Policy, row: Row): readonly PropertyKey[] {
    return this.#places.get(policy) ?? this.placeOf(row).slice(0, -1)
  }

  /** A mistake in a value, which is named by its file when it was read from one. */
  errorIn(path: readonly PropertyKey[], message: string): ConfigError {
    const source = this.#loaded.document.sourceOf(path)
    return this.error(path, source === undefined ? message : `${source} ${message}`)
  }

  error(path: readonly PropertyKey[], message: string): ConfigError {
    return new ConfigError([this.#loaded.document.problem(path, message)])
  }
}

/** The part of a place's configuration that says who answers. */
type DestinationConfig = {
  readonly upstream?: string | undefined
  readonly canary?: CanaryConfig | undefined
  readonly mirror?: MirrorConfig | undefined
}
