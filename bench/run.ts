import { parseArgs } from 'node:util'
import { measureCodecs } from './codec.ts'
import { type Contest, type ContestResult, type Pace, runContest } from './contest.ts'
import { measureControl } from './control.ts'
import { prepareGraphql } from './graphql.ts'
import { prepareGrpc } from './grpc.ts'
import { measureIdentity } from './identity.ts'
import { measureLimits } from './limits.ts'
import { describeMachine, markdownReport, plainReport } from './report.ts'
import { measureRequestLog } from './request-log.ts'
import { prepareRest } from './rest.ts'
import { measureTraffic } from './traffic.ts'

// What `npm run bench` runs: the gateway with all plugins on, and the servers that it is compared with, side by side.

const usage = `npm run bench -- [--only rest|graphql|grpc|codec|traffic|identity|limits|log|control] [--quick] [--markdown | --json]

  --only      one section; may be given again
  --quick     one short round, to see that everything runs; its figures mean little
  --markdown  tables for docs/performance.md
  --json      everything, the figures of each round too`

/** Starts what a section needs, leaves its end to the stack, and says who is to be asked what. */
type Prepare = (resources: AsyncDisposableStack) => Promise<Contest[]>

type Section = (pace: Pace) => Promise<ContestResult[]>

const sections: Readonly<Record<string, Section>> = {
  rest: (pace) => runSection(prepareRest, pace),
  graphql: (pace) => runSection(prepareGraphql, pace),
  grpc: (pace) => runSection(prepareGrpc, pace),
  codec: async (pace) => measureCodecs(pace),
  traffic: measureTraffic,
  identity: measureIdentity,
  limits: measureLimits,
  log: measureRequestLog,
  control: measureControl,
}

const usualPace: Pace = { rounds: 5, firstWarmUpSeconds: 3, warmUpSeconds: 1, measuredSeconds: 5 }
const quickPace: Pace = { rounds: 1, firstWarmUpSeconds: 1, warmUpSeconds: 1, measuredSeconds: 2 }

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true },
      quick: { type: 'boolean', default: false },
      markdown: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(`${usage}\n`)
    return
  }
  const chosen = values.only?.map(sectionNamed) ?? Object.values(sections)
  const pace = values.quick ? quickPace : usualPace
  const contests: ContestResult[] = []
  for (const section of chosen) contests.push(...(await section(pace)))
  const report = { machine: await describeMachine(), pace, contests }
  const print = values.json
    ? JSON.stringify(report, undefined, 2)
    : values.markdown
      ? markdownReport(report)
      : plainReport(report)
  process.stdout.write(`${print}\n`)
}

function sectionNamed(name: string): Section {
  const section = Object.hasOwn(sections, name) ? sections[name] : undefined
  if (section === undefined)
    throw new Error(`there is no section "${name}": ${Object.keys(sections).join(', ')}`)
  return section
}

async function runSection(prepare: Prepare, pace: Pace): Promise<ContestResult[]> {
  await using resources = new AsyncDisposableStack()
  const results: ContestResult[] = []
  for (const contest of await prepare(resources)) results.push(await runContest(contest, pace))
  return results
}

await main()
