import { deepStrictEqual } from 'node:assert/strict'
import { cpuTimeMicros } from './cpu-time.ts'
import { answerOf, prepareH2load, type RpcQuestion } from './h2load.ts'
import { median } from './median.ts'
import { type Load, prepareWrk, type Question } from './wrk.ts'

/** A server that takes part: where it answers, and whose CPU time counts. */
export interface Contestant {
  readonly name: string
  /** Origin without a slash at the end. */
  readonly url: string
  readonly pid: number
}

/** What the gateway has set out to reach. */
export interface Aim {
  /** Its CPU time is divided by that of this one. Absent when it stands for itself, in microseconds. */
  readonly reference?: string
  readonly atMost: number
}

/** One question to several servers that answer it alike. */
export interface Contest {
  readonly title: string
  readonly question: Question | RpcQuestion
  readonly gateway: Contestant
  readonly references: readonly Contestant[]
  readonly aims: readonly Aim[]
  /** What readers need to know besides. */
  readonly notes?: readonly string[]
}

/** How long a contest takes. */
export interface Pace {
  /** In each round every contestant has its turn, so that a noisy minute is noisy for all. */
  readonly rounds: number
  /** Before the first turn of each. */
  readonly firstWarmUpSeconds: number
  /** Before each later turn. */
  readonly warmUpSeconds: number
  readonly measuredSeconds: number
}

/** What was measured in one turn, or the medians of all turns. */
export interface Figures {
  /** CPU time of the contestant's process for each answer. */
  readonly cpuMicros: number
  /** Absent where nothing but CPU time is measured. */
  readonly served?: Served
}

/** How a contestant answered. */
export interface Served {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** What came out for one contestant. */
export interface Outcome {
  readonly name: string
  readonly figures: Figures
  /** CPU time of the gateway divided by that of this one, by round, and the median of that. 1 for the gateway itself. */
  readonly ratio: number
  readonly ratios: readonly number[]
}

/** What came out of a contest; the gateway first. */
export interface ContestResult {
  readonly title: string
  readonly outcomes: readonly Outcome[]
  readonly aims: readonly (Aim & { readonly reached: number; readonly met: boolean })[]
  readonly notes: readonly string[]
}

/** Runs a contest. Rejects when answers differ, or when one of them has failed. */
export async function runContest(contest: Contest, pace: Pace): Promise<ContestResult> {
  const contestants = [contest.gateway, ...contest.references]
  await requireSameAnswers(contestants, contest.question)
  await using load = await prepareLoad(contest.question)
  const turns = new Map(contestants.map(({ name }) => [name, [] as Figures[]]))
  for (let round = 0; round < pace.rounds; round++) {
    process.stderr.write(`${contest.title}: round ${round + 1} of ${pace.rounds}\n`)
    const warmUpSeconds = round === 0 ? pace.firstWarmUpSeconds : pace.warmUpSeconds
    for (const contestant of contestants) {
      await load.run(contestant.url, warmUpSeconds)
      turns.get(contestant.name)?.push(await takeTurn(load, contestant, pace.measuredSeconds))
    }
  }
  await requireSameAnswers(contestants, contest.question)
  return resultOf(contest, turns)
}

/** Draws the result from what was measured in each round, by the name of the contestant; the gateway first. */
export function resultOf(
  { title, aims, notes = [] }: Pick<Contest, 'title' | 'aims' | 'notes'>,
  turns: ReadonlyMap<string, readonly Figures[]>,
): ContestResult {
  const [own = []] = turns.values()
  const outcomes = [...turns].map(([name, figures]) => outcomeOf(name, figures, own))
  return { title, outcomes, aims: aims.map((aim) => judge(aim, outcomes)), notes }
}

function prepareLoad(question: Question | RpcQuestion): Promise<Load> {
  return 'message' in question ? prepareH2load(question) : prepareWrk(question)
}

async function takeTurn(load: Load, { url, pid }: Contestant, seconds: number): Promise<Figures> {
  const before = await cpuTimeMicros(pid)
  const reading = await load.run(url, seconds)
  const cpuMicros = ((await cpuTimeMicros(pid)) - before) / reading.requests
  const { p50Ms, p99Ms } = reading
  return { cpuMicros, served: { perSecond: reading.requests / reading.seconds, p50Ms, p99Ms } }
}

function outcomeOf(name: string, turns: readonly Figures[], gateway: readonly Figures[]): Outcome {
  const ratios = turns.map(({ cpuMicros }, round) => (gateway[round]?.cpuMicros ?? Number.NaN) / cpuMicros)
  const cpuMicros = median(turns.map((turn) => turn.cpuMicros))
  const served = turns.flatMap((turn) => turn.served ?? [])
  if (served.length === 0) return { name, figures: { cpuMicros }, ratio: median(ratios), ratios }
  const medians = {
    perSecond: median(served.map(({ perSecond }) => perSecond)),
    p50Ms: median(served.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(served.map(({ p99Ms }) => p99Ms)),
  }
  return { name, figures: { cpuMicros, served: medians }, ratio: median(ratios), ratios }
}

function judge(aim: Aim, outcomes: readonly Outcome[]): ContestResult['aims'][number] {
  const reached =
    aim.reference === undefined
      ? outcomes[0]?.figures.cpuMicros
      : outcomes.find(({ name }) => name === aim.reference)?.ratio
  return { ...aim, reached: reached ?? Number.NaN, met: reached !== undefined && reached <= aim.atMost }
}

/** A contestant that answers faster because it answers something else has not won. */
async function requireSameAnswers(
  contestants: readonly Contestant[],
  question: Question | RpcQuestion,
): Promise<void> {
  let first: { readonly name: string; readonly answer: unknown } | undefined
  for (const { name, url } of contestants) {
    const answer = 'message' in question ? await answerOf(url, question) : await answerOverHttp(url, question)
    first ??= { name, answer }
    deepStrictEqual(answer, first.answer, `${name} answers other than ${first.name}`)
  }
}

async function answerOverHttp(url: string, { method, path, headers, body }: Question): Promise<unknown> {
  const response = await fetch(url + path, {
    method,
    headers,
    body: body ?? null,
    signal: AbortSignal.timeout(10_000),
  })
  const text = await response.text()
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}: ${text.slice(0, 500)}`)
  if (!response.headers.get('content-type')?.startsWith('application/x-ndjson')) return JSON.parse(text)
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}
