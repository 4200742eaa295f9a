/** What the gateway knows of itself, from memory: nothing is probed to answer. */
export interface GatewayStatus {
  readonly version: string
  readonly configVersion: number
  readonly startedAt: number
  readonly now: number
  readonly draining: boolean
  /** Requests that were refused since the start for want of something, and whether they are being refused, by what. */
  readonly shed: Readonly<Record<string, { readonly total: number; readonly isOn: boolean }>>
  readonly activeConnections: number
  /** The mistakes of the last configuration that was refused; undefined when the running one is the newest. */
  readonly refusedConfig: string | undefined
  /** `up`, `down`, or undefined when no Redis is configured. */
  readonly redis: 'up' | 'down' | undefined
  readonly upstreams: readonly UpstreamStatus[]
  /** The certificates that clients are shown, by name; Unix time in milliseconds. */
  readonly certificates: readonly { readonly name: string; readonly expiresAt: number }[]
  /** Backends that describe themselves; `trouble` is undefined when all is well. */
  readonly reflections: readonly { readonly upstream: string; readonly trouble: string | undefined }[]
  /** Rows of the routing table. */
  readonly routes: number
}

export interface UpstreamStatus {
  readonly name: string
  readonly targets: readonly TargetStatus[]
}

export interface TargetStatus {
  readonly url: string
  /** Undefined: not probed. */
  readonly healthy: boolean | undefined
  readonly reason: string
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
    { name: 'config', ok: true, required: true, detail: `version ${status.configVersion} is running` },
    {
      name: 'reload',
      ok: status.refusedConfig === undefined,
      required: false,
      detail: status.refusedConfig ?? 'the newest configuration is running',
    },
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
  for (const { upstream, trouble } of status.reflections) {
    checks.push({
      name: `reflection ${upstream}`,
      ok: trouble === undefined,
      required: false,
      detail: trouble ?? 'the newest descriptors are running',
    })
  }
  return { ready: checks.every((check) => check.ok || !check.required), checks }
}

/** `healthy`, `degraded` when some target is down, `unhealthy` when no upstream has one left. */
export function healthReport(status: GatewayStatus) {
  const backends = Object.fromEntries(
    status.upstreams.map((upstream) => [upstream.name, backendState(upstream)]),
  )
  const states = Object.values(backends)
  const someDown = status.upstreams.some((upstream) =>
    upstream.targets.some((target) => target.healthy === false),
  )
  const allDown = states.length > 0 && states.every((state) => state !== 'healthy')
  return {
    status: allDown ? 'unhealthy' : someDown || status.redis === 'down' ? 'degraded' : 'healthy',
    timestamp: new Date(status.now).toISOString(),
    service: 'trivium',
    version: status.version,
    configVersion: status.configVersion,
    uptimeSeconds: Math.round((status.now - status.startedAt) / 1000),
    activeConnections: status.activeConnections,
    backends,
  }
}

/** `unreachable` when every target failed without an answer, `unhealthy` when some answered wrongly and none is good. */
function backendState(upstream: UpstreamStatus): 'healthy' | 'unhealthy' | 'unreachable' {
  if (upstream.targets.some((target) => target.healthy !== false)) return 'healthy'
  return upstream.targets.every((target) => target.reason.startsWith('probe failed'))
    ? 'unreachable'
    : 'unhealthy'
}
