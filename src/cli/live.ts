import type { CommandInput } from './command.ts'
import { followAdmin } from './stream-admin.ts'
import { harmless, paint } from './terminal.ts'

interface Sample {
  readonly at: string
  readonly version: string
  readonly configVersion: number
  readonly draining: boolean
  readonly activeConnections: number
  readonly activeRequests: number
  readonly requests: Traffic | null
  readonly upstreams: readonly { name: string; targets: number; healthy: number; circuit: string | null }[]
  readonly canaries: readonly { place: string; phase: string; weight: number }[]
  readonly process: {
    eventLoopDelayMs: number
    cpuPercent: number
    rssBytes: number
    heapUsedBytes: number
    heapLimitBytes: number
  }
}

interface Pace {
  readonly perSecond: number
  readonly failedPerSecond: number
  readonly refusedPerSecond: number
  readonly p50Ms: number | null
  readonly p95Ms: number | null
  readonly p99Ms: number | null
}

interface Traffic extends Pace {
  readonly routes: readonly (Pace & { readonly protocol: string; readonly route: string })[]
}

/** `gateway live`: a view that is drawn anew each second; where standard output is no terminal, a line each second. */
export function watchLive(input: CommandInput): Promise<number> {
  return followAdmin(input, '/live', (data) => {
    const sample = data as Sample
    if (input.json) console.log(JSON.stringify(sample))
    else if (process.stdout.isTTY) process.stdout.write(`\x1b[H\x1b[2J${viewOf(sample)}\n`)
    else console.log(lineOf(sample))
  })
}

function lineOf({ at, configVersion, activeRequests, requests, upstreams, process: node }: Sample): string {
  const down = upstreams.filter(({ healthy, targets }) => healthy < targets).map(({ name }) => name)
  const parts = [
    at.slice(11, 19),
    traffic(requests),
    `${activeRequests} under way`,
    `configuration ${configVersion}`,
    `loop ${Math.round(node.eventLoopDelayMs)} ms`,
    ...(down.length > 0 ? [`not well: ${down.join(', ')}`] : []),
  ]
  return harmless(parts.join('  '))
}

function viewOf(sample: Sample): string {
  const {
    at,
    version,
    configVersion,
    draining,
    activeConnections,
    activeRequests,
    requests,
    process: node,
  } = sample
  const lines = [
    `${paint('strong', `Trivium ${version}`)}  configuration ${configVersion}  ${at}${draining ? paint('warning', '  draining') : ''}`,
    `${traffic(requests)}  ${activeRequests} under way  ${activeConnections} connections`,
    `cpu ${Math.round(node.cpuPercent)} %  heap ${megabytes(node.heapUsedBytes)} of ${megabytes(node.heapLimitBytes)}  rss ${megabytes(node.rssBytes)}  event loop ${Math.round(node.eventLoopDelayMs)} ms late`,
    '',
    ...(requests?.routes ?? []).map((route) => `${harmless(route.route).padEnd(24)}  ${paceText(route)}`),
    '',
    ...sample.upstreams.map(({ name, targets, healthy, circuit }) => {
      const tone = healthy === 0 ? 'bad' : healthy < targets ? 'warning' : 'good'
      return `${paint(tone, `${healthy}/${targets}`)}  ${harmless(name)}${circuit === null || circuit === 'closed' ? '' : paint('bad', `  circuit ${circuit}`)}`
    }),
    ...sample.canaries.map(({ place, phase, weight }) => harmless(`canary ${place}: ${phase}, ${weight} %`)),
    '',
    paint('quiet', 'Ctrl-C ends it'),
  ]
  return lines.join('\n')
}

function traffic(requests: Traffic | null): string {
  return requests === null ? 'the request log is off' : paceText(requests)
}

function paceText({ perSecond, failedPerSecond, refusedPerSecond, p50Ms, p95Ms, p99Ms }: Pace): string {
  const times = p50Ms === null ? '' : `  p50 ${ms(p50Ms)}, p95 ${ms(p95Ms)}, p99 ${ms(p99Ms)}`
  const failed = failedPerSecond > 0 ? paint('bad', `${round(failedPerSecond)} failed`) : '0 failed'
  return `${round(perSecond)} requests/s, ${failed}, ${round(refusedPerSecond)} refused${times}`
}

function ms(value: number | null): string {
  return value === null ? '-' : `${round(value)} ms`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1_048_576)} MB`
}
