import { askAdmin, listAdmin } from './admin-client.ts'
import type { CommandInput } from './command.ts'
import { printTable } from './table.ts'
import { printJson } from './terminal.ts'

interface Release {
  readonly id: string
  readonly phase: string
  readonly step: number
  readonly steps: number
  readonly weight: number
  readonly since: string
  readonly reason: string | null
  readonly stable: Track
  readonly canary: Track
}

interface Track {
  readonly requests: number
  readonly errorRate: number
  readonly p95Ms: number | null
}

/** `gateway canary list`: every release, and how both sides do. */
export async function listCanaries(input: CommandInput): Promise<number> {
  show(input, (await listAdmin(input, '/canaries')) as unknown as Release[])
  return 0
}

/** `gateway canary status PLACE`. */
export async function showCanary(input: CommandInput): Promise<number> {
  const told = await askAdmin(input, { method: 'GET', path: pathOf(input), has: 'phase' })
  if (input.json) printJson(told)
  else show(input, [told as Release])
  return 0
}

/** `gateway canary promote|pause|resume|abort PLACE`. */
export async function steerCanary(input: CommandInput, verb: string): Promise<number> {
  const told = await askAdmin(input, {
    method: 'POST',
    path: `${pathOf(input)}:${verb}`,
    body: {},
    has: 'phase',
  })
  if (input.json) printJson(told)
  else show(input, [told as Release])
  return 0
}

function pathOf({ words: [place = ''] }: CommandInput): string {
  return `/canaries/${encodeURIComponent(place)}`
}

function show({ json }: CommandInput, releases: readonly Release[]): void {
  if (json) printJson(releases)
  else if (releases.length === 0) console.log('there are no canaries')
  else
    printTable(
      releases.map(({ id, phase, step, steps, weight, stable, canary, reason }) => ({
        place: id,
        phase,
        step: `${step}/${steps}`,
        weight: `${weight} %`,
        stable: trackOf(stable),
        canary: trackOf(canary),
        reason: reason ?? '',
      })),
      (column, cell) => (column === 'phase' ? (cell === 'progressing' ? 'good' : 'warning') : undefined),
    )
}

function trackOf({ requests, errorRate, p95Ms }: Track): string {
  const late = p95Ms === null ? '' : `, p95 ${Math.round(p95Ms)} ms`
  return `${requests} requests, ${Math.round(errorRate * 1_000) / 10} % failed${late}`
}
