import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { Registry } from 'prom-client'
import type { GatewayStatus } from './admin/health.ts'
import { type Beginning, begin } from './beginning.ts'
import { CertificateWatch } from './certificate-expiry.ts'
import { maskSecrets } from './config/mask.ts'
import type { Config } from './config/schema.ts'
import { Configuration } from './configuration.ts'
import type { ControlPlane } from './control/control-plane.ts'
import { TrustedProxies } from './core/client-address.ts'
import type { Logger } from './core/log.ts'
import { openRows } from './core/policy.ts'
import type { Row } from './core/route.ts'
import { ServiceRegistry } from './discovery/service-registry.ts'
import { drain } from './drain.ts'
import { GatewayMetrics } from './gateway-metrics.ts'
import type { GatewayOptions, Middleware } from './gateway-options.ts'
import type { BuiltGeneration } from './generation.ts'
import { IdentityState } from './identity-state.ts'
import type { ConnectionDoor } from './listener/connection-door.ts'
import { Listener, type Plan } from './listener/listener.ts'
import type { Overload } from './listener/overload.ts'
import type { GatewayServer } from './listener/server.ts'
import { Management } from './management.ts'
import { openRequestLog } from './open-request-log.ts'
import { connectionDoor, gatewayServer, type OpenPorts, openPorts, overloadOf } from './ports.ts'
import type { RequestLog } from './request-log/request-log.ts'
import type { RoutingTable } from './routing/table.ts'
import type { Stores } from './stores.ts'
import type { Release } from './traffic/canary/release.ts'
import { registerTrafficMetrics } from './upstream-metrics.ts'
import { Upstreams } from './upstreams.ts'
import { version } from './version.ts'

/** Makes a gateway from a configuration; it takes requests once it listens or is mounted. Throws a ConfigError. */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const gateway = new Gateway(options, await begin(options))
  await gateway.start()
  return gateway
}

/** A running gateway: its configurations, its doors, its end. */
export class Gateway {
  readonly log: Logger
  readonly metrics = new Registry()
  /** Instances that announce themselves, for upstreams with discovery of type `registry`. Reloads do not touch it. */
  readonly registry = new ServiceRegistry()
  /** What it knows of credentials besides its configuration. */
  readonly identity: IdentityState
  readonly requestLog: RequestLog
  readonly stores: Stores
  readonly #configuration: Configuration
  readonly #listener: Listener
  readonly #overload: Overload
  readonly management: Management
  readonly #server: GatewayServer
  readonly #door: ConnectionDoor
  readonly #gauges: GatewayMetrics
  readonly #certificates: CertificateWatch
  readonly #startedAt = Date.now()
  readonly #ending = new AbortController()
  #ports: OpenPorts | undefined
  #draining = false

  constructor(options: GatewayOptions, { first, log, stores }: Beginning) {
    const { server, observability, auth, admin } = first
    const { offline = false, watch = true, now = Date.now, extend } = options
    const { metrics } = this
    this.log = log
    this.#gauges = new GatewayMetrics(metrics, observability.metrics, () => this.status())
    registerTrafficMetrics(metrics, () => this.#configuration.generations.current)
    this.#certificates = new CertificateWatch(log, now)
    this.stores = stores
    const { redis, database } = stores
    this.identity = new IdentityState({ ...auth.revocation, redis, database, log, metrics, now })
    this.requestLog = openRequestLog(observability.requestLog, { metrics, log, now, database })
    this.#configuration = new Configuration({
      source: options,
      database,
      watch: watch && options.file !== undefined,
      reflect: !offline,
      log,
      metrics,
      now,
      // Nothing else that /readyz requires can fail while a configuration runs.
      ready: () => !this.#draining,
      redis,
      identity: this.identity,
      observers: (configVersion) => this.requestLog.observers(configVersion),
      upstreams: new Upstreams(log, { probe: !offline, registry: this.registry }),
      onDecided: (result) => {
        this.#gauges.reloaded(result)
        if (result === 'applied') this.#applyToPorts()
      },
    })
    this.#overload = overloadOf(server, { ...options, log })
    const proxies = new TrustedProxies(server.trustedProxies)
    const current = (): BuiltGeneration => this.#configuration.generations.current
    const draining = (): boolean => this.#draining
    const { limits } = server
    const listener = new Listener({ limits, proxies, current, overload: this.#overload, draining })
    this.#listener = listener
    const ending = this.#ending.signal
    const managed = { listener, proxies, admin, current, draining, ending, now, extend }
    this.management = new Management(this, managed)
    this.#door = connectionDoor(server, this.#gauges)
    const parts = { listener, fallback: this.management.app, door: this.#door, gauges: this.#gauges }
    this.#server = gatewayServer(server, parts)
  }

  /** Express or Connect middleware: takes what a row of the routing table claims, leaves the rest to `next`. */
  readonly middleware: Middleware = (req, res, next) => {
    this.#listener.handle(req, res, () => next())
  }

  /** For an `upgrade` event of the server that the gateway is mounted in. */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#server.upgrade(req, socket, head)
  }

  get table(): RoutingTable<Plan> {
    return this.#configuration.generations.current.table
  }

  /** The releases of the running configuration by place: `users`, `graphql/accounts`, `grpc/library.v1.LibraryService`. */
  get canaries(): ReadonlyMap<string, Release> {
    return this.#configuration.generations.current.canaries
  }

  get rows(): readonly Row[] {
    return this.table.entries.map((entry) => entry.row)
  }

  /** The running configuration, defaults filled in. Holds secrets. */
  get config(): Config {
    return this.#configuration.generations.current.config
  }

  /** The running configuration with its secrets masked, for people. */
  shownConfig(): unknown {
    return maskSecrets(this.config)
  }

  /** What people change the configuration by. */
  get control(): ControlPlane {
    return this.#configuration.control
  }

  /** Called once by {@link createGateway}. */
  async start(): Promise<void> {
    try {
      await Promise.all([this.#configuration.start(), this.identity.start()])
      this.#applyToPorts()
      this.identity.endStreams(this.#listener.active, () => this.config.auth.revocation)
    } catch (error) {
      await this.dispose()
      throw error
    }
  }

  /** Listens where the configuration says, or at another port there. Resolves with the base URL. */
  async listen(port?: string): Promise<string> {
    await this.management.listen()
    this.#ports = await openPorts(this.#server, this.config.server, port)
    const { rows } = this
    this.log.info(
      { ...this.#ports, admin: this.management.url, rows: rows.length, open: openRows(rows).join(' ') },
      'listening',
    )
    return this.#ports.url
  }

  /** The base URL for clients that speak TLS, once it listens; undefined where there is no `server.tls`. */
  get tlsUrl(): string | undefined {
    return this.#ports?.tlsUrl
  }

  /** Reads the configuration again; resolves with true when that was applied ({@link Configuration.reload}). */
  reload(): Promise<boolean> {
    return this.#configuration.reload()
  }

  /** Everything that `/readyz` and `/health` say. */
  async status(): Promise<GatewayStatus> {
    return {
      version,
      ...this.#configuration.status(),
      startedAt: this.#startedAt,
      now: Date.now(),
      draining: this.#draining,
      shed: { event_loop: this.#overload.eventLoop, heap: this.#overload.heap },
      activeConnections: await this.#server.connections(),
      ...this.stores.status(),
      keys: this.identity.keys,
      revocations: this.identity.status(),
      certificates: this.#certificates.expiries,
    }
  }

  /**
   * Ends the gateway so that no request is lost: `/readyz` says 503 and answers close their connections for `drainDelay`, then the port
   * is closed and requests in flight get `gracePeriod`.
   */
  async shutdown(): Promise<void> {
    if (this.#draining) return
    this.#draining = true
    this.#configuration.freeze()
    this.#ending.abort()
    const { drainDelay, gracePeriod } = this.config.server.shutdown
    this.log.info({ drainDelay, gracePeriod }, 'draining')
    await drain({
      listener: this.#listener,
      server: this.#server,
      drainDelay,
      gracePeriod,
      onClosing: () => this.#configuration.generations.current.drain(),
    })
    await this.dispose()
    this.log.info({}, 'stopped')
  }

  /** Connections that are there stay as they are. */
  #applyToPorts(): void {
    const { identities, config } = this.#configuration.generations.current
    this.#door.use(config.server.access)
    if (identities === undefined) return
    this.#server.useIdentities(identities)
    this.#certificates.watch(identities.expiries)
  }

  /** Frees everything; for a gateway that was mounted or only looked into. One that listens is ended by {@link shutdown}. */
  async dispose(): Promise<void> {
    this.#draining = true
    this.#ending.abort()
    this.#server.dispose()
    this.#overload.close()
    this.#certificates.close()
    await this.#configuration.close()
    await this.requestLog.close()
    await this.identity.close()
    this.registry.close()
    await this.management.close()
    await this.stores.close()
  }
}
