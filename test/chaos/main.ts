import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { startThreeBackends } from './chaos-backend.ts'
import { markdownReport, plainReport } from './report.ts'
import { type Pace, runScenario } from './run-scenario.ts'
import type { ScenarioResult } from './scenario.ts'
import { scenarios } from './scenarios.ts'
import { verdictsOf } from './verdict.ts'

// What `npm run chaos` runs: three backends and a gateway as processes, steady load over all front-ends, and one fault after the other.
// Exits with 1 when an aim is missed.

const usage = `npm run chaos -- [--scenario name] [--seconds n] [--rate n] [--markdown]

  --scenario  only this one; may be given again: ${scenarios.map(({ name }) => name).join(', ')}
  --seconds   how long each phase takes: before the fault, while it stays, after it; 6 by default
  --rate      requests per second, of all kinds together; 450 by default
  --markdown  the table for docs/reliability.md at the end`

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      scenario: { type: 'string', multiple: true },
      seconds: { type: 'string', default: '6' },
      rate: { type: 'string', default: '450' },
      markdown: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(`${usage}\n`)
    return
  }
  const names = values.scenario ?? scenarios.map(({ name }) => name)
  const unknown = names.find((name) => scenarios.every((scenario) => scenario.name !== name))
  if (unknown !== undefined) throw new Error(`there is no scenario "${unknown}"\n\n${usage}`)
  const phaseMs = number('seconds', values.seconds) * 1_000
  const pace: Pace = {
    warmUpMs: 3_000,
    beforeMs: phaseMs,
    faultMs: phaseMs,
    afterMs: phaseMs,
    perSecond: number('rate', values.rate),
    recoveryLimitMs: 10_000,
    knobs: {
      probeIntervalMs: 1_000,
      probeTimeoutMs: 500,
      perTryMs: 1_000,
      requestMs: 5_000,
      triesPerSecond: 3,
    },
  }
  // What runs for us ends when we do; without this a signal would end us before we could see to it.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

  await using resources = new AsyncDisposableStack()
  const backends = await startThreeBackends(resources)
  const results: ScenarioResult[] = []
  for (const scenario of scenarios.filter(({ name }) => names.includes(name))) {
    const result = await runScenario(scenario, backends, pace)
    results.push(result)
    process.stdout.write(`${plainReport(result)}\n\n`)
  }
  if (values.markdown) process.stdout.write(`${markdownReport(results)}\n\n`)
  process.stdout.write(
    `${availableParallelism()} cores of ${cpus()[0]?.model}, Node ${process.versions.node}\n`,
  )
  if (results.flatMap(verdictsOf).some(({ met }) => !met)) process.exitCode = 1
}

function number(name: string, text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new Error(`--${name} is a number above 0, not "${text}"`)
  return value
}

await main()
