import { upstreamSchema } from '../src/config/upstream-schema.ts'
import { silentLog } from '../src/core/log.ts'
import { Attempt } from '../src/traffic/attempt.ts'
import { Call, type Transport } from '../src/traffic/call.ts'
import { Destination } from '../src/traffic/destination.ts'
import { dispatch } from '../src/traffic/dispatch.ts'
import { Upstreams } from '../src/upstreams.ts'
import { exchange } from '../test/plugins/harness.ts'
import { type Aim, type ContestResult, type Figures, type Pace, resultOf } from './contest.ts'

const callsPerTurn = 50_000
const warmUpRounds = 4
const roundsPerRound = 4
/** What it may cost to choose a target, to watch how the call goes, and to be ready to try again; in microseconds. */
const aims: readonly Aim[] = [{ atMost: 10 }]

const targets = [1, 2, 3].map((last) => ({ url: `http://127.0.0.${last}:8001` }))

/** The same upstream with more and more of what the traffic layer has. */
const settings: Readonly<Record<string, object>> = {
  'as it comes': {},
  'peak EWMA': { loadBalancing: { policy: 'peakEwma' } },
  'consistent hash and slow start': {
    loadBalancing: { policy: 'consistentHash', hashOn: ['ip'], slowStart: '30s' },
  },
  'a limit for the whole and hedging': {
    timeouts: { total: '30s', header: 'X-Time-Left' },
    retry: { hedge: { after: '1s' } },
  },
  'circuits of upstream and targets': { circuitBreaker: { per: 'both', slowCall: '1s' } },
  'a limit of calls under way': { concurrency: { max: 100, queue: 100 } },
}

class PlainCall extends Call {
  readonly method = 'GET'
}

/** Answers at once: what is left is the traffic layer. */
const transport: Transport<PlainCall, number> = {
  send: async (attempt) => {
    attempt.answered()
    return 200
  },
}

/** CPU time of `dispatch` for a call that succeeds at once, beside that of the call alone. */
export async function measureTraffic({ rounds }: Pick<Pace, 'rounds'>): Promise<ContestResult[]> {
  const results: ContestResult[] = []
  for (const [title, config] of Object.entries(settings)) {
    const upstreams = new Upstreams(silentLog, { probe: false })
    const { upstream, release } = upstreams.take(title, upstreamSchema.parse({ targets, ...config }))
    const destination = new Destination('bench', upstream)
    const make = (): PlainCall =>
      new PlainCall(exchange(), destination, {
        headers: [],
        idempotent: true,
        replayable: true,
        hedgeable: true,
      })
    const [endpoint] = upstream.endpoints
    if (endpoint === undefined) throw new Error('there is no target')
    const ways = {
      dispatch: () => dispatch(make(), transport),
      'the call alone': () => transport.send(new Attempt(make(), endpoint)),
    }
    results.push(
      resultOf({ title: `Traffic: ${title}`, aims }, await takeTurns(ways, rounds * roundsPerRound)),
    )
    await release()
  }
  return results
}

async function takeTurns(
  ways: Readonly<Record<string, () => Promise<unknown>>>,
  rounds: number,
): Promise<Map<string, Figures[]>> {
  const turns = new Map(Object.keys(ways).map((name) => [name, [] as Figures[]]))
  for (let round = -warmUpRounds; round < rounds; round++) {
    for (const [name, run] of Object.entries(ways)) {
      const before = process.cpuUsage()
      for (let i = 0; i < callsPerTurn; i++) await run()
      const { user, system } = process.cpuUsage(before)
      if (round >= 0) turns.get(name)?.push({ cpuMicros: (user + system) / callsPerTurn })
    }
  }
  return turns
}
