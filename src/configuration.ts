import type { GatewayStatus } from './admin/health.ts'
import { ConfigWriter } from './config-writer.ts'
import type { ControlPlane } from './control/control-plane.ts'
import { Nodes } from './control/nodes.ts'
import { VersionStore } from './control/version-store.ts'
import { Generations, type GenerationsOptions } from './generations.ts'
import { LiveConfig } from './live-config.ts'
import { NewestConfig } from './newest-config.ts'
import type { SourceOptions } from './source.ts'
import type { Database } from './store/database.ts'

export interface ConfigurationOptions extends Omit<GenerationsOptions, 'onNews'> {
  readonly source: SourceOptions
  /** Whether a change of the files is applied by itself. */
  readonly watch: boolean
  /** Undefined: no versions are kept. */
  readonly database: Database | undefined
  /** Told of each attempt after the first when it is decided. */
  onDecided(result: 'applied' | 'refused'): void
}

type ConfigurationStatus = Pick<
  GatewayStatus,
  'config' | 'upstreams' | 'reflections' | 'supergraph' | 'identityProviders' | 'routes'
>

/** The configuration of a gateway: what runs, what is to run next, and who may change it. */
export class Configuration {
  readonly generations: Generations
  /** For people who change it. */
  readonly control: ControlPlane
  readonly #live: LiveConfig
  readonly #newest: NewestConfig
  readonly #nodes: Nodes | undefined

  constructor(options: ConfigurationOptions) {
    const { source, watch, database, log, now, onDecided } = options
    this.generations = new Generations({ ...options, onNews: () => void this.#live.rebuild() })
    this.#live = new LiveConfig({
      source,
      generations: this.generations,
      log,
      onDecided: (result) => {
        onDecided(result)
        void this.#nodes?.tell()
      },
      onChange: watch ? () => void this.reload() : undefined,
    })
    const store = database && new VersionStore(database)
    this.#newest = new NewestConfig({ source, live: this.#live, store, log, now })
    this.#nodes =
      database &&
      new Nodes(database, {
        now,
        state: () => ({
          version: this.#live.version,
          wanted: this.#newest.wanted,
          problem: this.#live.refused ?? null,
        }),
      })
    this.control = new ConfigWriter({
      source,
      live: this.#live,
      newest: this.#newest,
      generations: this.generations,
      store,
      nodes: async () => (await this.#nodes?.list()) ?? [],
      now,
    })
  }

  /** Called once. Throws a ConfigError when nothing loads. */
  async start(): Promise<void> {
    await this.#newest.start()
    void this.#nodes?.tell()
  }

  /**
   * Reads the configuration again, builds it beside the running one and swaps them in one step. A configuration that is refused
   * changes nothing: the reason is logged, counted and shown by `/readyz?verbose`. Resolves when it is decided, true when applied.
   */
  reload(): Promise<boolean> {
    return this.#newest.reload()
  }

  /** How it is with what runs, for people. */
  status(): ConfigurationStatus {
    const { current } = this.generations
    return {
      config: {
        version: this.#live.version,
        wanted: this.#newest.wanted,
        refused: this.#live.refused,
        unstored: this.#newest.unstored,
      },
      upstreams: this.generations.upstreams(),
      reflections: this.generations.reflections(),
      supergraph: current.graphql?.supergraph,
      identityProviders: current.identityProviders(),
      routes: current.table.entries.length,
    }
  }

  /** No more reloads. */
  freeze(): void {
    this.#live.freeze()
  }

  /** Resolves when the last request of every configuration has settled and everything is freed. */
  async close(): Promise<void> {
    await this.#live.close()
    await this.#nodes?.close()
    await this.generations.close()
  }
}
