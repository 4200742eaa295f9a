import { type ConfigurationState, configurationChecks } from './configuration-state.ts'
import { type DatabaseState, databaseChecks } from './database-state.ts'
import { type SupergraphState, supergraphChecks } from './supergraph-state.ts'

/** What the gateway knows of itself, from memory: nothing is probed to answer. */
export interface GatewayStatus {
  readonly version: string
  readonly config: ConfigurationState
  readonly startedAt: number
  readonly now: number
  readonly draining: boolean
  /** Requests that were refused since the start for want of something, and whether they are being refused, by what. */
  readonly shed: Readonly<Record<string, { readonly total: number; readonly isOn: boolean }>>
  readonly activeConnections: number
  /** `up`, `down`, or undefined when no Redis is configured. */
  readonly redis: 'up' | 'down' | undefined
  /** Undefined: the gateway has none, being only looked into. */
  readonly database: DatabaseState | undefined
  /** API keys that were made while it runs. `isKept`: they outlive it; `trouble`: why changes made elsewhere are not heard of. */
  readonly keys: { readonly size: number; readonly isKept: boolean; readonly trouble: string | undefined }
  readonly revocations: RevocationStatus
  readonly upstreams: readonly UpstreamStatus[]
  /** The certificates that clients are shown, by name; Unix time in milliseconds. */
  readonly certificates: readonly { readonly name: string; readonly expiresAt: number }[]
  /** Backends that describe themselves; `trouble` is undefined when all is well. */
  readonly reflections: readonly { readonly upstream: string; readonly trouble: string | undefined }[]
  /** What GraphQL clients are answered from; undefined where there is no GraphQL. */
  readonly supergraph: SupergraphState | undefined
  /** Outside services that callers are checked with; `trouble` is undefined when all is well. */
  readonly identityProviders: readonly { readonly name: string; readonly trouble: string | undefined }[]
  /** Rows of the routing table. */
  readonly routes: number
}

export interface RevocationStatus {
  readonly entries: number
  /** Why it may not know all that others have revoked; undefined: it does. */
  readonly trouble: string | undefined
  /** Made here, and not known to others yet. */
  readonly unwritten: number
  /** Whether the list was never read, and nobody shall be let in without it. */
  readonly isMissing: boolean
}

export interface UpstreamStatus {
  readonly name: string
  /** Undefined: it has none. */
  readonly circuit: CircuitStatus | undefined
  /** Calls that its fallback took: another upstream, or a static answer. */
  readonly fallbacks: number
  readonly targets: readonly TargetStatus[]
  /** How the finding of targets goes; undefined where they are listed. */
  readonly discovery?: DiscoveryStatus | undefined
}

export interface DiscoveryStatus {
  /** When targets were found last, Unix time in milliseconds; undefined: never. */
  readonly foundAt: number | undefined
  /** What is not well; undefined: all is well. */
  readonly trouble: string | undefined
  /** How often it came into trouble. */
  readonly failures: number
}

export interface TargetStatus {
  readonly url: string
  /** Undefined: not probed. */
  readonly healthy: boolean | undefined
  /** Whether its calls fail one after the other, although it is not left out. Default: no. */
  readonly failing?: boolean
  readonly reason: string
  /** When that changed last, Unix time in milliseconds; undefined: it never did. */
  readonly changedAt?: number | undefined
  /** How often it came in and went out, by what said so: `probe`, `ejection`. */
  readonly changes?: Readonly<Record<string, { readonly healthy: number; readonly unhealthy: number }>>
  /** Undefined: it has none of its own. */
  readonly circuit: CircuitStatus | undefined
}

/** `closed`: calls pass. */
export type CircuitState = 'closed' | 'half_open' | 'open'

export interface CircuitStatus {
  readonly state: CircuitState
  /** How often it went into each state. */
  readonly changes: Readonly<Record<CircuitState, number>>
}

/** Whether a target takes traffic. */
export function isUp({ healthy, circuit }: TargetStatus): boolean {
  return healthy !== false && circuit?.state !== 'open'
}

/** One reason to be ready or not. */
export interface ReadinessCheck {
  readonly name: string
  readonly ok: boolean
  /** Whether the gateway is not ready without it. */
  readonly required: boolean
  readonly detail: string
}

/** Whether a load balancer should send traffic here, and why (not). */
export function readinessReport(status: GatewayStatus): { ready: boolean; checks: ReadinessCheck[] } {
  const checks: ReadinessCheck[] = [
    {
      name: 'draining',
      ok: !status.draining,
      required: true,
      detail: status.draining ? 'shutting down' : 'taking requests',
    },
    ...configurationChecks(status.config),
  ]
  const shortages = Object.keys(status.shed).filter((reason) => status.shed[reason]?.isOn)
  checks.push({
    name: 'overload',
    ok: shortages.length === 0,
    required: false,
    detail:
      shortages.length === 0 ? 'no request is refused' : `requests are refused: ${shortages.join(', ')}`,
  })
  if (status.redis !== undefined) {
    checks.push({ name: 'redis', ok: status.redis === 'up', required: false, detail: status.redis })
  }
  checks.push(...databaseChecks(status.database))
  const { keys } = status
  if (keys.isKept) {
    checks.push({
      name: 'keys',
      ok: keys.trouble === undefined,
      required: false,
      detail:
        keys.trouble === undefined
          ? `${keys.size} managed keys`
          : `the last ${keys.size} known hold: ${keys.trouble}`,
    })
  }
  const { entries, trouble, unwritten, isMissing } = status.revocations
  checks.push({
    name: 'revocations',
    ok: trouble === undefined,
    required: isMissing,
    detail:
      trouble === undefined
        ? `${entries} are known`
        : `${trouble}: ${entries} are known, ${unwritten} of them to this node only`,
  })
  for (const { upstream, trouble } of status.reflections) {
    checks.push({
      name: `reflection ${upstream}`,
      ok: trouble === undefined,
      required: false,
      detail: trouble ?? 'the newest descriptors are running',
    })
  }
  checks.push(...supergraphChecks(status.supergraph))
  for (const { name, trouble } of status.identityProviders) {
    checks.push({
      name: `identity ${name}`,
      ok: trouble === undefined,
      required: false,
      detail: trouble ?? 'no trouble',
    })
  }
  for (const { name, targets, discovery } of status.upstreams) {
    if (discovery === undefined) continue
    checks.push({
      name: `discovery ${name}`,
      ok: discovery.trouble === undefined,
      required: false,
      detail: discovery.trouble ?? `${targets.length} targets were found`,
    })
  }
  return { ready: checks.every((check) => check.ok || !check.required), checks }
}

/** `healthy`, `degraded` when some target is down or fails its calls, an upstream has none or its circuit is open, `unhealthy` when no upstream has one left. */
export function healthReport(status: GatewayStatus) {
  const backends = Object.fromEntries(
    status.upstreams.map((upstream) => [upstream.name, backendState(upstream)]),
  )
  const states = Object.values(backends)
  const someDown = status.upstreams.some(
    ({ circuit, targets }) =>
      circuit?.state === 'open' ||
      targets.length === 0 ||
      !targets.every((target) => isUp(target) && target.failing !== true),
  )
  const circuits = status.upstreams.flatMap(({ name, circuit }) =>
    circuit === undefined ? [] : [[name, circuit.state]],
  )
  const allDown = states.length > 0 && states.every((state) => state !== 'healthy')
  return {
    status: allDown ? 'unhealthy' : someDown || status.redis === 'down' ? 'degraded' : 'healthy',
    timestamp: new Date(status.now).toISOString(),
    service: 'trivium',
    version: status.version,
    configVersion: status.config.version,
    uptimeSeconds: Math.round((status.now - status.startedAt) / 1000),
    activeConnections: status.activeConnections,
    backends,
    ...(circuits.length > 0 && { circuits: Object.fromEntries(circuits) }),
  }
}

/** `unreachable` when every target failed without an answer, `unhealthy` when some answered wrongly and none is good. */
function backendState(upstream: UpstreamStatus): 'healthy' | 'unhealthy' | 'unreachable' {
  if (upstream.circuit?.state !== 'open' && upstream.targets.some(isUp)) return 'healthy'
  return upstream.targets.every((target) => target.reason.startsWith('probe failed'))
    ? 'unreachable'
    : 'unhealthy'
}

/** Every target with its state and the reason of it, for people. */
export function upstreamReport({ upstreams }: GatewayStatus) {
  return Object.fromEntries(
    upstreams.map(({ name, targets, discovery }) => [
      name,
      {
        targets: targets.map(({ url, healthy, reason, changedAt }) => ({
          url,
          state: healthy === undefined ? 'unknown' : healthy ? 'healthy' : 'unhealthy',
          reason,
          since: timeOf(changedAt),
        })),
        ...(discovery && {
          discovery: {
            ok: discovery.trouble === undefined,
            reason: discovery.trouble,
            foundAt: timeOf(discovery.foundAt),
          },
        }),
      },
    ]),
  )
}

function timeOf(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString()
}
