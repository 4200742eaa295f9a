import type { LiveSample } from '../admin/live-sample.ts'
import type { Pace, Traffic } from '../request-log/traffic-of.ts'
import type { CommandInput } from './command.ts'
import { followAdmin } from './stream-admin.ts'
import { harmless, paint, tenths } from './terminal.ts'

/** `gateway live`: a view that is drawn anew each second; where standard output is no terminal, a line each second. */
export function watchLive(input: CommandInput): Promise<number> {
  return followAdmin(input, '/live', (data) => {
    const sample = data as LiveSample
    if (input.json) console.log(JSON.stringify(sample))
    else if (process.stdout.isTTY) process.stdout.write(`\x1b[H\x1b[2J${viewOf(sample)}\n`)
    else console.log(lineOf(sample))
  })
}

function lineOf({
  at,
  configVersion,
  activeRequests,
  requests,
  upstreams,
  process: node,
}: LiveSample): string {
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

function viewOf(sample: LiveSample): string {
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
  const failed = failedPerSecond > 0 ? paint('bad', `${tenths(failedPerSecond)} failed`) : '0 failed'
  return `${tenths(perSecond)} requests/s, ${failed}, ${tenths(refusedPerSecond)} refused${times}`
}

function ms(value: number | null): string {
  return value === null ? '-' : `${tenths(value)} ms`
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1_048_576)} MB`
}
