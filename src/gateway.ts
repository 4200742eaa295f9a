import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Express } from 'express'
import type { Redis } from 'ioredis'
import { Registry } from 'prom-client'
import { stringify } from 'yaml'
import { createApp } from './admin/app.ts'
import type { GatewayStatus } from './admin/health.ts'
import { ConfigDocument, type Environment } from './config/document.ts'
import { checkConfig, type LoadedConfig, pluginModulesOf, readDocument } from './config/load.ts'
import { maskSecrets } from './config/mask.ts'
import type { Config } from './config/schema.ts'
import { FileWatcher } from './config/watch.ts'
import { TrustedProxies } from './core/client-address.ts'
import type { Logger } from './core/log.ts'
import type { Row } from './core/route.ts'
import { GatewayMetrics } from './gateway-metrics.ts'
import { type BuiltGeneration, buildGeneration } from './generation.ts'
import { KeptState } from './kept-state.ts'
import { type Fallback, Listener, type Plan } from './listener/listener.ts'
import { GatewayServer } from './listener/server.ts'
import { createLog } from './log.ts'
import type { PluginDefinition } from './pipeline/registry.ts'
import { loadPluginModules } from './plugin-modules.ts'
import { builtinPlugins } from './plugins/builtin.ts'
import type { RoutingTable } from './routing/table.ts'
import { connectRedis } from './store/redis.ts'
import { Upstreams } from './upstreams.ts'

/** How a gateway is made. Either `file` or `config` is needed. */
export interface GatewayOptions {
  /** Path of a `gateway.yaml`; watched unless `watch` is false. */
  readonly file?: string
  /** The same as an object, in the words of `gateway.yaml`. Paths in it are relative to the working directory. */
  readonly config?: object
  /** For `${NAME}` in the configuration. Default: none. */
  readonly environment?: Environment
  /** Default: JSON lines on standard output, at the configured level. */
  readonly log?: Logger
  /** Plugins of your own, beside the built-in ones and those of `pluginModules`. */
  readonly plugins?: readonly PluginDefinition[]
  /** Mounts middleware of your own on the Express app, behind the routing table and in front of the 404. */
  readonly extend?: (app: Express) => void
  /** The clock of plugins, Unix time in milliseconds. Default: the system's. */
  readonly now?: () => number
  /** Whether changes of the file and of what it names are applied by themselves. Default true. */
  readonly watch?: boolean
  /** Whether it is only to be looked into: no Redis connection is made. Default false. */
  readonly offline?: boolean
}

/** Makes a gateway from a configuration; it takes requests once it listens or is mounted. Throws a ConfigError. */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const source = await readSource(options)
  const gateway = new Gateway(options, source.loaded)
  await gateway.start(source)
  return gateway
}

/** A running gateway: the life of configurations, the listener, the shutdown. */
export class Gateway {
  readonly log: Logger
  readonly metrics = new Registry()
  readonly #options: GatewayOptions
  readonly #upstreams: Upstreams
  readonly #kept = new KeptState()
  readonly #listener: Listener
  readonly #app: Express
  readonly #server: GatewayServer
  readonly #watcher: FileWatcher
  readonly #gauges: GatewayMetrics
  readonly #startedAt = Date.now()
  #current: BuiltGeneration | undefined
  #redis: Redis | undefined
  #configVersion = 0
  #refusedConfig: string | undefined
  #draining = false
  #reloading: Promise<boolean> = Promise.resolve(true)

  constructor(options: GatewayOptions, first: LoadedConfig) {
    const { server, observability, stores } = first.config
    this.#options = options
    this.log = options.log ?? createLog(observability.log.level)
    this.#upstreams = new Upstreams(this.log)
    this.#gauges = new GatewayMetrics(this.metrics, observability.metrics, () => this.status())
    const { redis } = stores
    if (redis !== undefined && redis.url !== '' && options.offline !== true)
      this.#redis = connectRedis(redis.url, this.log)
    const { limits } = server
    this.#listener = new Listener({
      limits,
      proxies: new TrustedProxies(server.trustedProxies),
      current: () => this.#running(),
      draining: () => this.#draining,
    })
    const notFound: Fallback = (req, res) => this.#listener.notFound(req, res)
    this.#app = createApp({
      metrics: this.metrics,
      status: () => this.status(),
      notFound,
      failed: (req, res, error) => this.#listener.failed(req, res, error),
      extend: options.extend,
    })
    this.#server = new GatewayServer({
      listener: this.#listener,
      fallback: this.#app,
      limits: {
        headerBytes: limits.headerBytes,
        headerCount: limits.headerCount,
        urlBytes: limits.urlBytes,
        headersTimeoutMs: limits.headersTimeout,
        bodyTimeoutMs: limits.bodyTimeout,
        keepAliveTimeoutMs: limits.keepAliveTimeout,
        connections: limits.connections,
      },
      onRefused: (error) => this.#gauges.refusedOnTheWire(error),
    })
    this.#watcher = new FileWatcher(() => void this.reload())
  }

  /** Express or Connect middleware: takes what a row of the routing table claims, leaves the rest to `next`. */
  readonly middleware = (
    req: IncomingMessage,
    res: ServerResponse,
    next: (error?: unknown) => void,
  ): void => {
    this.#listener.handle(req, res, () => next())
  }

  /** For an `upgrade` event of the server that the gateway is mounted in. */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#server.upgrade(req, socket, head)
  }

  get table(): RoutingTable<Plan> {
    return this.#running().table
  }

  get rows(): readonly Row[] {
    return this.table.entries.map((entry) => entry.row)
  }

  /** The running configuration, defaults filled in. Holds secrets. */
  get config(): Config {
    return this.#running().config
  }

  /** The running configuration with its secrets masked, for people. */
  shownConfig(): unknown {
    return maskSecrets(this.config)
  }

  /** Called once by {@link createGateway}. */
  async start(source: Source): Promise<void> {
    try {
      await this.#apply(source)
    } catch (error) {
      this.#redis?.disconnect()
      throw error
    }
  }

  /** Listens where the configuration says, or at another port there. Resolves with the base URL. */
  async listen(port?: string): Promise<string> {
    const at = this.config.server.listen
    const colon = at.lastIndexOf(':')
    const host = at.slice(0, colon).replace(/^\[|\]$/g, '')
    const address = await this.#server.listen(host, Number(port ?? at.slice(colon + 1)))
    const shown = address.family === 'IPv6' ? `[${address.address}]` : address.address
    const url = `http://${shown}:${address.port}`
    this.log.info({ url, rows: this.rows.length }, 'listening')
    return url
  }

  /**
   * Reads the configuration again, builds it beside the running one and swaps them in one step. A configuration that is refused
   * changes nothing: the reason is logged, counted and shown by `/readyz?verbose`. Resolves when it is decided, true when applied.
   */
  reload(): Promise<boolean> {
    const decided = this.#reloading.then(() => this.#reload())
    this.#reloading = decided
    return decided
  }

  /** Everything that `/readyz` and `/health` say. */
  async status(): Promise<GatewayStatus> {
    const { status } = this.#redis ?? {}
    return {
      version,
      configVersion: this.#configVersion,
      startedAt: this.#startedAt,
      now: Date.now(),
      draining: this.#draining,
      activeConnections: await this.#server.connections(),
      refusedConfig: this.#refusedConfig,
      redis: status === undefined ? undefined : status === 'ready' ? 'up' : 'down',
      upstreams: this.#running().upstreams.map((upstream) => ({
        name: upstream.name,
        targets: upstream.endpoints.map(({ url, healthy, healthReason }) => ({
          url,
          healthy,
          reason: healthReason,
        })),
      })),
      routes: this.table.entries.length,
    }
  }

  /**
   * Ends the gateway so that no request is lost: `/readyz` says 503 and answers close their connections for `drainDelay`, then the port
   * is closed and requests in flight get `gracePeriod`.
   */
  async shutdown(): Promise<void> {
    if (this.#draining) return
    this.#draining = true
    this.#watcher.close()
    const { drainDelay, gracePeriod } = this.#running().config.server.shutdown
    this.log.info({ drainDelay, gracePeriod }, 'draining')
    if (drainDelay > 0) await new Promise((resolve) => setTimeout(resolve, drainDelay))
    await this.#server.close(gracePeriod)
    await this.dispose()
    this.log.info({}, 'stopped')
  }

  /** Frees everything; for a gateway that was mounted or only looked into. One that listens is ended by {@link shutdown}. */
  async dispose(): Promise<void> {
    this.#draining = true
    this.#watcher.close()
    this.#server.dispose()
    await this.#reloading
    await this.#current?.retire()
    this.#redis?.disconnect()
  }

  #running(): BuiltGeneration {
    if (this.#current === undefined) throw new Error('the gateway has no configuration yet')
    return this.#current
  }

  async #reload(): Promise<boolean> {
    if (this.#draining) return false
    try {
      await this.#apply(await readSource(this.#options))
      this.#refusedConfig = undefined
      this.#gauges.reloaded('applied')
      this.log.info({ 'gateway.config_version': this.#configVersion }, 'configuration applied')
      return true
    } catch (error) {
      this.#refusedConfig = error instanceof Error ? error.message : String(error)
      this.#gauges.reloaded('refused')
      this.log.error(
        { problems: this.#refusedConfig.split('\n') },
        'configuration refused; the old one keeps running',
      )
      return false
    }
  }

  async #apply({ loaded, definitions }: Source): Promise<void> {
    const next = await buildGeneration(loaded, {
      definitions,
      log: this.log,
      metrics: this.metrics,
      now: this.#options.now ?? Date.now,
      redis: this.#redis,
      upstreams: this.#upstreams,
      kept: this.#kept,
    })
    const old = this.#current
    this.#current = next
    this.#configVersion++
    if (this.#options.file !== undefined && this.#options.watch !== false) this.#watcher.watch(next.files)
    old
      ?.retire()
      .catch((error: unknown) => this.log.error({ error }, 'the old configuration did not close cleanly'))
  }
}

/** A configuration that was read and checked, and the plugins that it may name. */
interface Source {
  readonly loaded: LoadedConfig
  readonly definitions: readonly PluginDefinition[]
}

async function readSource(options: GatewayOptions): Promise<Source> {
  const environment = options.environment ?? {}
  const document =
    options.file === undefined
      ? new ConfigDocument('configuration', stringify(options.config ?? {}), environment)
      : readDocument(options.file, environment)
  const modules = await loadPluginModules(document, pluginModulesOf(document))
  const definitions = [...builtinPlugins, ...(options.plugins ?? []), ...modules]
  return { loaded: checkConfig(document, definitions), definitions }
}

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string
}
