import { aligned } from '../aligned.ts'
import { type Change, isTakenOut } from './chaos-gateway.ts'
import type { Sent } from './load.ts'
import { requestKinds } from './request-kinds.ts'
import { type PhaseName, phaseNames, type ScenarioResult } from './scenario.ts'
import { verdictsOf } from './verdict.ts'

/** For a terminal: a row for each kind of request, what the gateway noticed, and the aims. */
export function plainReport(result: ScenarioResult): string {
  const { scenario, changes, phases, recoveries } = result
  const head = ['', 'sent', 'failed', ...phaseNames.map((name) => `p99 ms ${name}`), 'sent twice']
  const rows = requestKinds.map((kind) => {
    const sent = result.sent.filter((one) => one.kind === kind)
    const p99s = phaseNames.map((name) => p99(inPhase(result, sent, name)))
    return [
      kind.name,
      `${sent.length}`,
      `${failedOf(sent).length}`,
      ...p99s,
      `${twice(result, sent)}`,
      why(sent),
    ]
  })
  const since = (at: number): string => `${((at - phases.during) / 1_000).toFixed(2).padStart(6)} s`
  return [
    `${scenario.name}: ${scenario.about}`,
    ...aligned([head, ...rows]),
    ...changes
      .filter(({ at }) => at >= phases.during)
      .map((change) => `${since(change.at)}  ${inWords(change)}`),
    ...recoveries.map(
      ({ backend, tookMs }) => `backend ${backend} was used again after ${inSeconds(tookMs)}`,
    ),
    ...verdictsOf(result).map(
      ({ aim, reached, met }) => `aim: ${aim.says}: ${reached}, ${met ? 'met' : 'MISSED'}`,
    ),
  ].join('\n  ')
}

/** A row for each scenario, for docs/reliability.md. */
export function markdownReport(results: readonly ScenarioResult[]): string {
  const head = [
    'scenario',
    'requests',
    'failed, idempotent',
    'failed, others',
    'p99 ms before',
    'during',
    'after',
  ]
  const rows = results.map((result) => {
    const idempotent = result.sent.filter(({ kind }) => kind.idempotent)
    const others = result.sent.filter(({ kind }) => !kind.idempotent)
    return [
      result.scenario.name,
      `${result.sent.length}`,
      counted(idempotent),
      counted(others),
      ...phaseNames.map((name) => p99(inPhase(result, idempotent, name))),
      outAfter(result),
      backAfter(result),
      `${twice(result, others)}`,
    ]
  })
  const all = [[...head, 'taken out after', 'used again after', 'sent twice'], ...rows]
  const [first = '', ...rest] = aligned(all, ' | ')
  const rule = all[0]?.map((_, column) => (column === 0 ? '---' : '---:')).join(' | ')
  return [first, rule, ...rest].map((line) => `| ${line} |`).join('\n')
}

function inWords({ upstream, target, message, reason }: Change): string {
  return `${upstream}${target && ` ${target}`}: ${message}${reason && ` (${reason})`}`
}

function inPhase({ phases }: ScenarioResult, sent: readonly Sent[], name: PhaseName): readonly Sent[] {
  const from = phases[name]
  const next = phaseNames[phaseNames.indexOf(name) + 1]
  const to = next === undefined ? Number.POSITIVE_INFINITY : phases[next]
  return sent.filter(({ dueAt }) => dueAt >= from && dueAt < to)
}

/** Of the answers; what failed has no time. */
function p99(sent: readonly Sent[]): string {
  const times = sent
    .filter(({ failure }) => failure === undefined)
    .map(({ tookMs }) => tookMs ?? Number.POSITIVE_INFINITY)
    .sort((a, b) => a - b)
  return times[Math.max(0, Math.ceil(times.length * 0.99) - 1)]?.toFixed(0) ?? ''
}

function failedOf(sent: readonly Sent[]): readonly Sent[] {
  return sent.filter(({ failure }) => failure !== undefined)
}

function why(sent: readonly Sent[]): string {
  const reasons = Object.entries(Object.groupBy(failedOf(sent), ({ failure = '' }) => failure))
  return reasons.map(([reason, group]) => `${group?.length} ${reason}`).join(', ')
}

function counted(sent: readonly Sent[]): string {
  const reasons = why(sent)
  return `${failedOf(sent).length}${reasons === '' ? '' : `: ${reasons}`}`
}

function twice({ arrivals }: ScenarioResult, sent: readonly Sent[]): number {
  return sent.filter(({ id, kind }) => !kind.idempotent && (arrivals.get(id)?.length ?? 0) > 1).length
}

/** Until the last upstream had noticed. */
function outAfter({ changes, phases }: ScenarioResult): string {
  const first = new Map<string, number>()
  for (const { at, message, upstream } of changes) {
    const isOut = isTakenOut(message) || message === 'circuit is open'
    if (at >= phases.during && isOut && !first.has(upstream)) first.set(upstream, at)
  }
  return first.size === 0 ? '' : inSeconds(Math.max(...first.values()) - phases.during)
}

function backAfter({ recoveries }: ScenarioResult): string {
  const slowest = recoveries.map(({ tookMs }) => tookMs ?? Number.POSITIVE_INFINITY)
  return slowest.length === 0 ? '' : inSeconds(Math.max(...slowest))
}

function inSeconds(ms: number | undefined): string {
  return ms === undefined || ms === Number.POSITIVE_INFINITY ? 'never' : `${(ms / 1_000).toFixed(2)} s`
}
