import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { ConfigEdit } from '../src/control/change.ts'
import { silentLog } from '../src/core/log.ts'
import { createGateway, type Gateway } from '../src/gateway.ts'
import { ownFolder } from '../test/services/own-process.ts'
import { type ContestResult, type Figures, type Pace, resultOf } from './contest.ts'

const sizes = [10, 100, 1_000, 10_000]
const lookUps = 100_000
const upstreams = 10

/** Of one way to do it: CPU time, and how long requests had to wait at the most. */
interface Cost {
  readonly cpuMs: number
  readonly heldMs: number
}

/** What the configuration's size costs: applying it by one write, changing one route, and finding a route. In this process, with SQLite in a file. */
export async function measureControl({ rounds }: Pick<Pace, 'rounds'>): Promise<ContestResult[]> {
  const found = new Map<string, Figures[]>()
  const notes: string[] = []
  // What runs for the first time is slow by itself.
  await measureSize(100, 3)
  for (const size of sizes) {
    const { all, one, lookUp, rssMb } = await measureSize(size, rounds)
    found.set(`${size} routes`, lookUp)
    notes.push(
      `${size} routes: all by one write ${shown(all)}; one of them ${shown(one)}; ${rssMb} MB resident`,
    )
  }
  return [resultOf({ title: 'Control plane: to find the route of a request', aims: [], notes }, found)]
}

async function measureSize(size: number, rounds: number) {
  const folder = await ownFolder('bench-control')
  const file = join(folder, 'gateway.yaml')
  await writeFile(file, 'routes: []\n')
  const gateway = await createGateway({ file, watch: false, log: silentLog })
  const write = (edit: ConfigEdit) => gateway.control.write([edit], { by: 'bench' })
  const all = await costOf(() => write({ op: 'replace', text: JSON.stringify(configOf(size)) }))
  const ones: Cost[] = []
  for (let round = 0; round < rounds; round++) {
    const value = { timeout: `${round + 6}s` }
    ones.push(await costOf(() => write({ op: 'patch', kind: 'routes', id: 'r5', value })))
  }
  const one = ones.toSorted((a, b) => a.cpuMs - b.cpuMs)[Math.floor(rounds / 2)] ?? all
  const lookUp = Array.from({ length: rounds + 1 }, () => lookUpCost(gateway.table, size)).slice(1)
  const rssMb = Math.round(process.memoryUsage().rss / 1e6)
  await gateway.shutdown()
  return { all, one, lookUp, rssMb }
}

function configOf(size: number): object {
  const target = (i: number) => ({ targets: [{ url: `http://127.0.0.1:${20_000 + i}` }] })
  return {
    upstreams: Object.fromEntries(Array.from({ length: upstreams }, (_, i) => [`u${i}`, target(i)])),
    routes: Array.from({ length: size }, (_, i) => ({
      id: `r${i}`,
      path: `/v1/things${i}/{id}`,
      methods: ['GET', 'POST'],
      upstream: `u${i % upstreams}`,
      auth: 'none',
    })),
  }
}

async function costOf(work: () => Promise<unknown>): Promise<Cost> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  await new Promise((resolve) => setTimeout(resolve, 20))
  delay.disable()
  return { cpuMs: (user + system) / 1_000, heldMs: delay.max / 1e6 }
}

function lookUpCost(table: Gateway['table'], size: number): Figures {
  // Few enough to be made beforehand, spread over all.
  const queries = Array.from({ length: 1_000 }, (_, i) => {
    const segments = ['v1', `things${Math.floor((i * size) / 1_000)}`, '42']
    return { method: 'GET', segments, encodedSlash: false, host: 'localhost', headers: {}, query: '' }
  })
  const before = process.cpuUsage()
  for (let i = 0; i < lookUps; i++)
    if (table.match(queries[i % 1_000] as (typeof queries)[0]) === undefined) throw new Error('not found')
  const { user, system } = process.cpuUsage(before)
  return { cpuMicros: (user + system) / lookUps }
}

function shown({ cpuMs, heldMs }: Cost): string {
  return `${Math.round(cpuMs)} ms of CPU (the event loop held ${Math.round(heldMs)} ms)`
}
