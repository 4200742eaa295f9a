import { execFile } from 'node:child_process'
import { availableParallelism, cpus, release, type } from 'node:os'
import { promisify } from 'node:util'
import { aligned } from '../test/aligned.ts'
import { ensureProgram } from '../test/services/programs.ts'
import type { ContestResult, Outcome, Pace } from './contest.ts'

/** What the figures depend on besides the code. */
export interface Machine {
  readonly date: string
  readonly cores: number
  readonly cpu: string
  readonly system: string
  readonly node: string
  readonly nginx: string
}

/** All that one run of the benchmark has found. */
export interface Report {
  readonly machine: Machine
  readonly pace: Pace
  readonly contests: readonly ContestResult[]
}

/** Looks at the machine that we run on. */
export async function describeMachine(): Promise<Machine> {
  // nginx writes its version to standard error.
  const { stderr } = await promisify(execFile)(await ensureProgram('nginx'), ['-v'])
  return {
    date: new Date().toISOString().slice(0, 10),
    cores: availableParallelism(),
    cpu: cpus()[0]?.model ?? 'unknown',
    system: `${type()} ${release()}`,
    node: process.versions.node,
    nginx: stderr.trim().split('/').at(-1) ?? '',
  }
}

/** For a terminal. */
export function plainReport({ machine, pace, contests }: Report): string {
  const parts = contests.map((contest) =>
    [
      contest.title,
      ...aligned(cellsOf(contest)).map((line) => `  ${line}`),
      ...aimLines(contest),
      ...contest.notes,
    ].join('\n'),
  )
  return [...parts, machineLine(machine), paceLine(pace)].join('\n\n')
}

/** For docs/performance.md. */
export function markdownReport({ machine, pace, contests }: Report): string {
  const parts = contests.map((contest) => {
    const [head = [], ...rows] = aligned(cellsOf(contest), ' | ')
    const rule = cellsOf(contest)[0]?.map((_, column) => (column === 0 ? '---' : '---:')) ?? []
    const table = [head, rule.join(' | '), ...rows].map((line) => `| ${line} |`)
    return [
      `### ${contest.title}`,
      '',
      ...table,
      '',
      ...[...aimLines(contest), ...contest.notes].map((line) => `- ${line}`),
    ].join('\n')
  })
  return [`${machineLine(machine)} ${paceLine(pace)}`, ...parts].join('\n\n')
}

const servedHead = ['req/s', 'p50 ms', 'p99 ms']

function cellsOf({ outcomes }: ContestResult): string[][] {
  const [first] = outcomes
  const served = first?.figures.served === undefined ? [] : servedHead
  const head = ['contestant', ...served, 'CPU µs', `${first?.name} ÷ it`]
  return [head, ...outcomes.map(rowOf)]
}

function rowOf({ name, figures: { cpuMicros, served }, ratio, ratios }: Outcome, index: number): string[] {
  const span =
    ratios.length < 2 ? '' : ` (${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)})`
  const answered =
    served === undefined
      ? []
      : [served.perSecond.toFixed(0), served.p50Ms.toFixed(2), served.p99Ms.toFixed(2)]
  return [
    name,
    ...answered,
    cpuMicros.toFixed(cpuMicros < 10 ? 2 : 1),
    index === 0 ? '' : `${ratio.toFixed(2)}${span}`,
  ]
}

function aimLines({ aims }: ContestResult): string[] {
  return aims.map(({ reference, atMost, reached, met }) => {
    const outcome = met ? 'met' : 'MISSED'
    if (reference === undefined) return `aim: at most ${atMost} µs of CPU: ${reached.toFixed(1)}, ${outcome}`
    const times = Number(atMost.toFixed(2))
    return `aim: at most ${times} times the CPU of ${reference}: ${reached.toFixed(2)}, ${outcome}`
  })
}

function machineLine({ date, cores, cpu, system, node, nginx }: Machine): string {
  return `${date}: ${cores} cores of ${cpu}, ${system}, Node ${node}, nginx ${nginx}.`
}

function paceLine({ rounds, measuredSeconds }: Pace): string {
  return (
    `64 kept connections, 8 for streams; each contestant measured ${measuredSeconds} s in each of ${rounds} interleaved ` +
    `${rounds === 1 ? 'round' : 'rounds'}; CPU time of its process per request (of a codec per message, of the traffic layer per call, of limits per decision); medians, and the span of the ratios.`
  )
}
