import { globSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Redis } from 'ioredis'
import type { Registry } from 'prom-client'
import type { LoadedConfig } from './config/load.ts'
import { ConfigError } from './config/problem.ts'
import type { Config } from './config/schema.ts'
import type { FrontEnd } from './core/front-end.ts'
import type { Logger } from './core/log.ts'
import type { Plugin } from './core/plugin.ts'
import type { PluginUse, Policy, Row } from './core/route.ts'
import { createRestFrontEnd, type RestRoute } from './front-ends/rest/front-end.ts'
import { refuseWithProblem } from './front-ends/rest/problem.ts'
import type { KeptState } from './kept-state.ts'
import type { Generation, Plan } from './listener/listener.ts'
import { compileHooks } from './pipeline/plan.ts'
import type { PluginDefinition, PluginHost } from './pipeline/registry.ts'
import { createIdentity, type Identity, identityPlugin } from './plugins/identity/identity.ts'
import { RouteClash, RoutingTable } from './routing/table.ts'
import type { Upstream } from './traffic/upstream.ts'
import type { Upstreams } from './upstreams.ts'

/** What a configuration is built with; shared by all generations of a gateway. */
export interface BuildContext {
  readonly definitions: readonly PluginDefinition[]
  readonly log: Logger
  readonly metrics: Registry
  /** The clock of plugins, Unix time in milliseconds. */
  now(): number
  readonly redis: Redis | undefined
  readonly upstreams: Upstreams
  readonly kept: KeptState
}

/** One loaded configuration, ready to take requests. */
export interface BuiltGeneration extends Generation {
  readonly config: Config
  readonly upstreams: readonly Upstream[]
  /** Every file that was read to build it, absolute. */
  readonly files: readonly string[]
  /** Takes no more requests; resolves when the last one has settled and everything is freed. */
  retire(): Promise<void>
}

/** Builds a configuration beside whatever is running. Throws a ConfigError that points into the file; then nothing is left behind. */
export async function buildGeneration(loaded: LoadedConfig, context: BuildContext): Promise<BuiltGeneration> {
  const builder = new Builder(loaded, context)
  try {
    return await builder.build()
  } catch (error) {
    await builder.free()
    throw error
  }
}

class Builder {
  readonly #loaded: LoadedConfig
  readonly #config: Config
  readonly #context: BuildContext
  readonly #files: string[]
  readonly #frees: (() => void | Promise<void>)[] = []
  readonly #upstreams = new Map<string, Upstream>()
  readonly #kept
  /** Where a row was written, for messages about it. */
  readonly #paths = new Map<Row, readonly PropertyKey[]>()

  constructor(loaded: LoadedConfig, context: BuildContext) {
    this.#loaded = loaded
    this.#config = loaded.config
    this.#context = context
    this.#files = [loaded.file, ...loaded.document.includedFiles]
    this.#kept = context.kept.open()
    this.#frees.push(() => this.#kept.release())
  }

  async free(): Promise<void> {
    for (const free of this.#frees.toReversed()) await free()
  }

  async build(): Promise<BuiltGeneration> {
    const config = this.#config
    for (const [name, upstream] of Object.entries(config.upstreams)) {
      const taken = this.#context.upstreams.take(name, upstream)
      this.#frees.push(taken.release)
      this.#upstreams.set(name, taken.upstream)
    }
    const shared = config.plugins.map((use, index) => this.#plugin(use, undefined, ['plugins', index]))
    const rest = this.#restFrontEnd()
    const frontEnds: FrontEnd[] = [rest]
    const graphql = await this.#graphqlFrontEnd()
    if (graphql !== undefined) frontEnds.push(graphql)
    const grpc = await this.#grpcFrontEnd()
    if (grpc !== undefined) frontEnds.push(grpc)
    const plans = this.#plans(frontEnds, shared)
    const table = this.#table(plans)
    return this.#generation(table, unroutedPlan(shared))
  }

  #generation(table: RoutingTable<Plan>, unrouted: Plan): BuiltGeneration {
    let active = 0
    let whenIdle: (() => void) | undefined
    return {
      config: this.#config,
      upstreams: [...this.#upstreams.values()],
      files: this.#files,
      table,
      unrouted,
      enter: () => {
        active++
      },
      leave: () => {
        if (--active === 0) whenIdle?.()
      },
      retire: async () => {
        if (active > 0) {
          await new Promise<void>((resolve) => {
            whenIdle = resolve
          })
        }
        await this.free()
      },
    }
  }

  #plugin(use: PluginUse, policy: Policy | undefined, path: readonly PropertyKey[]): Plugin {
    const definition = this.#context.definitions.find((known) => known.name === use.name)
    if (definition === undefined) throw this.#error(path, `unknown plugin "${use.name}"`)
    return this.#made(path, () => definition.create(use.options, this.#host(policy)))
  }

  #made(path: readonly PropertyKey[], make: () => Plugin): Plugin {
    try {
      const plugin = make()
      this.#frees.push(() => plugin.close?.())
      return plugin
    } catch (error) {
      throw this.#error(path, messageOf(error))
    }
  }

  #host(policy: Policy | undefined): PluginHost {
    const { log, metrics, now, redis } = this.#context
    return { log, now, metrics, redis, policy, keep: this.#kept.keep }
  }

  #policy(id: string, written: PolicyConfig): Policy {
    const { auth, authorize, plugins, forwardCredentials } = written
    return { id, auth, authorize, plugins, forwardCredentials }
  }

  #upstream(name: string): Upstream {
    const upstream = this.#upstreams.get(name)
    if (upstream === undefined) throw new Error(`there is no upstream "${name}"`)
    return upstream
  }

  #restFrontEnd(): FrontEnd {
    const { routes, server, auth } = this.#config
    const credentials = new Set(['authorization', auth.apiKeys.header, 'x-api-key'])
    const frontEnd = createRestFrontEnd(
      routes.map(
        (route): RestRoute => ({
          id: route.id,
          path: route.path,
          methods: route.methods,
          hosts: route.hosts,
          headers: matches(route.headers),
          query: matches(route.query),
          priority: route.priority,
          encodedSlash: route.encodedSlash,
          upstream: this.#upstream(route.upstream),
          rewrite: route.rewrite,
          timeoutMs: route.timeout,
          maxBodyBytes: route.bodyBytes ?? server.limits.bodyBytes,
          policy: this.#policy(route.id, route),
          origin: `route "${route.id}"`,
          hiddenHeaders: route.forwardCredentials ? new Set() : credentials,
        }),
      ),
    )
    frontEnd.rows.forEach((row, index) => this.#paths.set(row, ['routes', index, 'path']))
    return frontEnd
  }

  async #graphqlFrontEnd(): Promise<FrontEnd | undefined> {
    const { graphql } = this.#config
    if (graphql === undefined) return undefined
    const { createGraphqlFrontEnd } = await import('./front-ends/graphql/front-end.ts')
    const { supergraph } = graphql
    const frontEnd = await this.#frontEnd(['graphql'], () =>
      createGraphqlFrontEnd({
        path: graphql.path,
        policy: this.#policy('graphql', graphql),
        subgraphs: Object.entries(graphql.subgraphs).map(([name, { upstream, path, schema }]) => ({
          name,
          upstream: this.#upstream(upstream),
          path,
          ...(schema === undefined || supergraph !== undefined
            ? undefined
            : { sdl: this.#read(schema, ['graphql', 'subgraphs', name, 'schema']), file: schema }),
        })),
        ...(supergraph === undefined
          ? undefined
          : { supergraph: this.#read(supergraph, ['graphql', 'supergraph']) }),
        introspection: graphql.introspection,
        explorer: graphql.explorer,
        limits: graphql.limits,
        log: this.#context.log,
      }),
    )
    for (const row of frontEnd.rows) this.#paths.set(row, ['graphql', 'path'])
    return frontEnd
  }

  async #grpcFrontEnd(): Promise<FrontEnd | undefined> {
    const { grpc, server } = this.#config
    if (grpc === undefined) return undefined
    const { createGrpcFrontEnd } = await import('./front-ends/grpc/front-end.ts')
    const folder = dirname(this.#loaded.file)
    const includeDirs = grpc.includeDirs.map((dir) => resolve(folder, dir))
    const protoFiles = grpc.protos.flatMap((pattern, index) => {
      const found = globSync(pattern, { cwd: folder }).map((file) => resolve(folder, file))
      if (found.length === 0) throw this.#error(['grpc', 'protos', index], `no file matches "${pattern}"`)
      return found.sort()
    })
    this.#files.push(...protoFiles)
    const frontEnd = await this.#frontEnd(['grpc'], () =>
      createGrpcFrontEnd({
        protoFiles,
        includeDirs,
        services: Object.entries(grpc.services).map(([name, service]) => ({
          name,
          upstream: this.#upstream(service.upstream),
          policy: this.#policy(name, service),
          ...(service.timeout === undefined ? undefined : { timeoutMs: service.timeout }),
          json: service.json,
        })),
        limits: { bodyBytes: server.limits.bodyBytes, messageBytes: grpc.messageBytes },
        log: this.#context.log,
      }),
    )
    for (const row of frontEnd.rows) this.#paths.set(row, ['grpc', 'services', row.policy.id, 'upstream'])
    return frontEnd
  }

  async #frontEnd(path: readonly PropertyKey[], make: () => Promise<FrontEnd>): Promise<FrontEnd> {
    try {
      const frontEnd = await make()
      this.#frees.push(() => frontEnd.close())
      return frontEnd
    } catch (error) {
      throw error instanceof ConfigError ? error : this.#error(path, messageOf(error))
    }
  }

  #identity(): Identity {
    const { auth, consumers } = this.#config
    try {
      const identity = createIdentity(
        {
          jwt: auth.jwt
            .filter((issuer) => this.#usable(issuer))
            .map(({ clockSkew, ...issuer }) => ({ ...issuer, clockSkewMs: clockSkew })),
          apiKeys: auth.apiKeys,
          consumers,
        },
        this.#host(undefined),
      )
      this.#frees.push(() => identity.close())
      return identity
    } catch (error) {
      throw this.#error(['auth'], messageOf(error))
    }
  }

  /** An issuer whose secret is an environment variable that is not set refuses its tokens, rather than the whole configuration. */
  #usable({ issuer, secret, jwks, jwksUri }: Config['auth']['jwt'][number]): boolean {
    const usable = secret !== '' || jwks !== undefined || jwksUri !== undefined
    if (!usable)
      this.#context.log.warn({ issuer }, 'the secret of this issuer is empty: its tokens are refused')
    return usable
  }

  /** The hooks of each row; rows of one policy share their plugins, so that a service's limit counts all of its methods. */
  #plans(frontEnds: readonly FrontEnd[], shared: readonly Plugin[]): Plan[] {
    const identity = this.#identity()
    const byPolicy = new Map<Policy, Plan['hooks']>()
    return frontEnds.flatMap((frontEnd) =>
      frontEnd.rows.map((row): Plan => {
        const { policy } = row
        let hooks = byPolicy.get(policy)
        if (hooks === undefined) {
          const path = this.#paths.get(row)?.slice(0, -1) ?? []
          const own = policy.plugins.map((use, index) =>
            this.#plugin(use, policy, [...path, 'plugins', index]),
          )
          const checks = policy.auth === 'none' ? [] : [identityPlugin(identity, policy)]
          hooks = compileHooks([...shared, ...checks, ...own])
          byPolicy.set(policy, hooks)
        }
        return { row, hooks }
      }),
    )
  }

  #table(plans: readonly Plan[]): RoutingTable<Plan> {
    try {
      return new RoutingTable(plans.map((plan) => ({ row: plan.row, value: plan })))
    } catch (error) {
      if (!(error instanceof RouteClash)) throw error
      throw this.#error(this.#paths.get(error.rows[1]) ?? [], error.message)
    }
  }

  #read(file: string, path: readonly PropertyKey[]): string {
    const absolute = resolve(dirname(this.#loaded.file), file)
    this.#files.push(absolute)
    try {
      return readFileSync(absolute, 'utf8')
    } catch (error) {
      throw this.#error(path, `cannot be read: ${messageOf(error)}`)
    }
  }

  #error(path: readonly PropertyKey[], message: string): ConfigError {
    return new ConfigError([this.#loaded.document.problem(path, message)])
  }
}

type PolicyConfig = Pick<Config['routes'][number], 'auth' | 'authorize' | 'plugins' | 'forwardCredentials'>

/** What requests meet that no row takes: the global plugins, and refusals in RFC 9457's words. */
function unroutedPlan(shared: readonly Plugin[]): Plan {
  const policy: Policy = {
    id: 'unrouted',
    auth: 'none',
    authorize: { roles: [], scopes: [] },
    plugins: [],
    forwardCredentials: false,
  }
  const frontEnd: FrontEnd = { name: 'rest', rows: [], refuse: refuseWithProblem, close: async () => {} }
  const row: Row = {
    id: 'unrouted',
    protocol: 'rest',
    template: '',
    policy,
    methods: [],
    hosts: [],
    headers: [],
    query: [],
    priority: 0,
    encodedSlash: true,
    frontEnd,
    origin: 'the gateway',
    serve: () => {},
  }
  return { row, hooks: compileHooks(shared) }
}

function matches(written: Readonly<Record<string, string>>): { name: string; value: string }[] {
  return Object.entries(written).map(([name, value]) => ({ name, value }))
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
