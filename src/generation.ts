import type { ApiDocsFrontEnd } from './api-docs/front-end.ts'
import { Build, type BuildContext } from './build.ts'
import { buildApiDocs } from './build-api-docs.ts'
import { buildFrontEnds } from './build-front-ends.ts'
import { buildIdentity } from './build-identity.ts'
import { buildBackendIdentity } from './build-internal-token.ts'
import { buildIssuer } from './build-issuer.ts'
import { buildIdentities, checkUpstreamTls } from './build-tls.ts'
import { buildTracing } from './build-tracing.ts'
import type { LoadedConfig } from './config/load.ts'
import type { Config } from './config/schema.ts'
import type { FrontEnd } from './core/front-end.ts'
import { Mistake } from './core/mistake.ts'
import type { Plugin } from './core/plugin.ts'
import type { Policy, Row } from './core/route.ts'
import type { GraphqlFrontEnd } from './front-ends/graphql/front-end.ts'
import type { Generation, Plan } from './listener/listener.ts'
import type { TlsIdentities } from './listener/tls-identities.ts'
import { compileHooks } from './pipeline/plan.ts'
import type { PluginDefinition } from './pipeline/registry.ts'
import { CallerLimits } from './plugins/identity/caller-limits.ts'
import type { Identity } from './plugins/identity/identity.ts'
import { identityPlugin } from './plugins/identity/identity-plugin.ts'
import { queryKeyTaker } from './plugins/identity/key-places.ts'
import type { ProviderStatus } from './plugins/identity/token-authenticator.ts'
import { RouteClash, RoutingTable } from './routing/table.ts'
import type { Release } from './traffic/canary/release.ts'
import type { Upstream } from './traffic/upstream.ts'
import { unroutedPlan } from './unrouted.ts'

/** One loaded configuration, ready to take requests. */
export interface BuiltGeneration extends Generation {
  readonly config: Config
  readonly upstreams: readonly Upstream[]
  /** By place: `users`, `graphql/accounts`, `grpc/library.v1.LibraryService`. */
  readonly canaries: ReadonlyMap<string, Release>
  /** Who the gateway is to clients that speak TLS; undefined when there is no port for them. */
  readonly identities: TlsIdentities | undefined
  readonly identity: Identity
  /** All plugins that it may name. */
  readonly definitions: readonly PluginDefinition[]
  /** The outside services that callers are checked with. */
  identityProviders(): readonly ProviderStatus[]
  /** Undefined when there is none. */
  readonly graphql: GraphqlFrontEnd | undefined
  /** What describes the API, for a path that no row takes; undefined: nothing of that path. */
  apiDocs(path: string): Plan | undefined
  /** The gateway is about to end: what would last as long as its clients like is to end now. */
  drain(): void
  /** Takes no more requests; resolves when the last one has settled and everything is freed. */
  retire(): Promise<void>
}

/** Builds a configuration beside whatever is running. Throws a ConfigError that points into the file; then nothing is left behind. */
export async function buildGeneration(loaded: LoadedConfig, context: BuildContext): Promise<BuiltGeneration> {
  const build = new Build(loaded, context)
  try {
    await context.upstreams.discovered()
    const identities = buildIdentities(build)
    checkUpstreamTls(build)
    const plugins = loaded.config.plugins.map((use, index) => build.plugin(use, ['plugins', index]))
    const shared = [...buildTracing(build), ...plugins]
    const issuer = await buildIssuer(build)
    const told = buildBackendIdentity(build)
    const identity = buildIdentity(build, issuer?.tokens)
    const deciders = { identity, table: () => table }
    const frontEnds = await buildFrontEnds(build, { issuer, told, deciders })
    const docs = buildApiDocs(build, frontEnds, () => table)
    const described = docs === undefined ? frontEnds : [...frontEnds, docs]
    const plans = plansOf(build, { frontEnds: described, shared, identity, last: told.plugin })
    const table: RoutingTable<Plan> = tableOf(
      build,
      plans.filter(({ row }) => row.frontEnd !== docs),
    )
    const graphql = frontEnds.find(({ name }) => name === 'graphql') as GraphqlFrontEnd | undefined
    const unrouted = unroutedPlan([...shared, ...build.observers], build.pluginNames.of)
    const identityProviders = (): readonly ProviderStatus[] => identity.providers
    const parts = {
      table,
      unrouted,
      identities,
      identity,
      identityProviders,
      graphql,
      apiDocs: docsPlans(docs, plans),
      definitions: context.definitions,
    }
    return generation(build, parts, frontEnds)
  } catch (error) {
    await build
      .free()
      .catch((cause: unknown) => build.log.error({ cause }, 'a refused configuration did not close'))
    throw error
  }
}

function generation(
  build: Build,
  parts: Omit<BuiltGeneration, 'config' | 'upstreams' | 'canaries' | 'enter' | 'leave' | 'drain' | 'retire'>,
  frontEnds: readonly FrontEnd[],
): BuiltGeneration {
  let active = 0
  const idle = Promise.withResolvers<void>()
  let retired = false
  return {
    config: build.config,
    upstreams: [...build.upstreams.values()],
    canaries: build.canaries,
    ...parts,
    enter: () => {
      active++
    },
    leave: () => {
      if (--active === 0 && retired) idle.resolve()
    },
    drain: () => {
      for (const frontEnd of frontEnds) frontEnd.retire?.()
    },
    retire: async () => {
      retired = true
      for (const frontEnd of frontEnds) frontEnd.retire?.()
      if (active > 0) await idle.promise
      await build.free()
    },
  }
}

/** The rows of the documentation are asked for their path by what no row of the table takes. */
function docsPlans(docs: ApiDocsFrontEnd | undefined, plans: readonly Plan[]): BuiltGeneration['apiDocs'] {
  return (path) => {
    const row = docs?.rowOf(path)
    return row === undefined ? undefined : plans.find((plan) => plan.row === row)
  }
}

interface PlanParts {
  readonly frontEnds: readonly FrontEnd[]
  readonly shared: readonly Plugin[]
  readonly identity: Identity
  /** After all others. */
  readonly last: Plugin
}

/** The hooks of each row; rows of one policy share their plugins, so that a service's limit counts all of its methods. */
function plansOf(build: Build, { frontEnds, shared, identity, last }: PlanParts): Plan[] {
  const hooksOf = new Map<Policy, Plan['hooks']>()
  const { observers } = build
  const limits = new CallerLimits(identity.keys, build.host(undefined))
  build.onFree(() => limits.close())
  build.pluginNames.give(limits, 'consumer limits')
  const { query } = build.config.auth.apiKeys
  const pluginsOf = new Map<Policy, readonly Plugin[]>()
  /** Those of the policy around it first. */
  const plugins = (policy: Policy, row: Row): readonly Plugin[] => {
    const known = pluginsOf.get(policy)
    if (known !== undefined) return known
    const path = build.policyPlaceOf(policy, row)
    const own = policy.plugins.map((use, index) =>
      build.plugin(use, [...path, 'plugins', index], build.host(row, policy)),
    )
    const all = policy.service === undefined ? own : [...plugins(policy.service, row), ...own]
    pluginsOf.set(policy, all)
    return all
  }
  return frontEnds.flatMap((frontEnd) =>
    frontEnd.rows.map((row): Plan => {
      const { policy } = row
      let hooks = hooksOf.get(policy)
      if (hooks === undefined) {
        const own = plugins(policy, row)
        const checks = policy.auth === 'none' ? [] : [identityCheck(build, identity, row), limits]
        const early = own.filter((plugin) => plugin.beforeIdentity === true)
        const late = own.filter((plugin) => plugin.beforeIdentity !== true)
        // Only what REST forwards is the client's own query.
        const keep = policy.forwardCredentials && row.protocol === 'rest'
        const taker = query === undefined ? [] : [queryKeyTaker(query, { keep })]
        hooks = compileHooks(
          [...taker, ...shared, ...early, ...checks, ...late, last, ...observers],
          build.pluginNames.of,
        )
        hooksOf.set(policy, hooks)
      }
      frontEnd.planned?.(row, hooks)
      return { row, hooks }
    }),
  )
}

function identityCheck(build: Build, identity: Identity, row: Row): Plugin {
  try {
    return build.pluginNames.give(identityPlugin(identity, row.policy, build.host(row)), 'identity')
  } catch (error) {
    if (!(error instanceof Mistake)) throw error
    throw build.error([...build.policyPlaceOf(row.policy, row), 'authorize', ...error.path], error.message)
  }
}

function tableOf(build: Build, plans: readonly Plan[]): RoutingTable<Plan> {
  try {
    return new RoutingTable(plans.map((plan) => ({ row: plan.row, value: plan })))
  } catch (error) {
    if (!(error instanceof RouteClash)) throw error
    throw build.error(build.placeOf(error.rows[1]), error.message)
  }
}
