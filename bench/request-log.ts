import type { Exchange } from '../src/core/exchange.ts'
import { type Logger, silentLog } from '../src/core/log.ts'
import { accessLog } from '../src/plugins/access-log.ts'
import { EntryRing } from '../src/request-log/entry-ring.ts'
import { RequestLog } from '../src/request-log/request-log.ts'
import { attemptRecord, callRecord } from '../test/plugins/call-record.ts'
import { exchange, host } from '../test/plugins/harness.ts'
import { type ContestResult, type Figures, type Pace, resultOf } from './contest.ts'

const perTurn = 5_000
const warmUpRounds = 4
/** With the usual five rounds: a quarter of a million exchanges. */
const roundsPerRound = 10

/** What is done at the end of an exchange. */
type Settle = (x: Exchange) => void

/** CPU time of what the request log does for one exchange, beside a line of the access log. */
export async function measureRequestLog({ rounds }: Pick<Pace, 'rounds'>): Promise<ContestResult[]> {
  const made = (): Exchange => withIds(restExchange())
  const contests: readonly (readonly [string, () => Exchange])[] = [
    ['REST, one call', made],
    ['REST, one call, its ids not made before', restExchange],
    ['REST, answered at the second attempt', () => withIds(retried())],
    ['GraphQL, four calls', () => withIds(graphqlExchange())],
  ]
  return contests.map(([title, make]) =>
    resultOf({ title: `Request log: ${title}`, aims: [{ atMost: 1.5 }] }, takeTurns(make, rounds)),
  )
}

function takeTurns(make: () => Exchange, rounds: number): Map<string, Figures[]> {
  const ways: Readonly<Record<string, Settle>> = {
    gateway: intoRing(),
    'a line of the access log': intoLine(),
    'an empty hook': () => {},
  }
  const turns = new Map(Object.keys(ways).map((name) => [name, [] as Figures[]]))
  // Ids are made once for each exchange: where they are to be measured, exchanges are made anew.
  const kept = Array.from({ length: 1_000 }, make)
  const isMade = kept[0] !== undefined && hasIds.has(kept[0])
  for (let round = -warmUpRounds; round < rounds * roundsPerRound; round++) {
    for (const [name, settle] of Object.entries(ways)) {
      const exchanges = isMade ? kept : Array.from({ length: perTurn }, make)
      const before = process.cpuUsage()
      for (let i = 0; i < perTurn; i++) settle(exchanges[i % exchanges.length] as Exchange)
      const { user, system } = process.cpuUsage(before)
      if (round >= 0) turns.get(name)?.push({ cpuMicros: (user + system) / perTurn })
    }
  }
  return turns
}

function intoRing(): Settle {
  const ring = new EntryRing({ entries: 10_000, bytes: 8_388_608, node: 'bench' })
  const [observer] = new RequestLog({ ring, isOn: true, stored: undefined, now: Date.now }).observers(1)
  return (x) => observer?.onSettled?.(x)
}

function intoLine(): Settle {
  let _bytes = 0
  const log: Logger = {
    ...silentLog,
    line: (_, json) => {
      _bytes += Buffer.byteLength(json)
    },
  }
  const plugin = accessLog.create({ sample: 1 }, { ...host(), log })
  return (x) => plugin.onSettled?.(x)
}

const agent =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36'
const route = { id: 'users-v1' }

function restExchange(): Exchange {
  const x = exchange({ route, request: { path: '/v1/users/42', headers: { 'user-agent': agent } } })
  x.status = 200
  x.responseBytes = 119
  x.principal = { id: '42', consumer: '42', roles: [], scopes: [], via: 'apiKey' }
  x.calls.push(callRecord({ durationMs: 1.234 }))
  return x
}

function retried(): Exchange {
  const x = restExchange()
  const first = attemptRecord({ status: 503, fault: 'status 503' })
  x.calls.splice(0, 1, callRecord({ attempts: [first, attemptRecord()] }))
  return x
}

function graphqlExchange(): Exchange {
  const x = restExchange()
  for (const upstreamName of ['orders', 'reviews', 'stock'])
    x.calls.push(callRecord({ upstreamName, place: `graphql/${upstreamName}` }))
  x.attributes['graphql.operation.type'] = 'query'
  x.attributes['graphql.operation.name'] = 'ProductPage'
  return x
}

/** Exchanges that know their request and trace ids. */
const hasIds = new WeakSet<Exchange>()

function withIds(x: Exchange): Exchange {
  void x.id
  void x.trace
  hasIds.add(x)
  return x
}
