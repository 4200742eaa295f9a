import { Redis } from 'ioredis'
import type { Exchange } from '../src/core/exchange.ts'
import { hashApiKey } from '../src/plugins/identity/api-key.ts'
import { createIdentity } from '../src/plugins/identity/identity.ts'
import { rateLimit } from '../src/plugins/rate-limit/rate-limit.ts'
import { exchange, host, make, policy } from '../test/plugins/harness.ts'
import { startRedis } from '../test/services/redis.ts'
import { type Aim, type ContestResult, type Figures, type Pace, resultOf } from './contest.ts'
import { cpuTimeMicros } from './cpu-time.ts'
import { apiKey } from './gateway.ts'

/** One way to decide whether a request passes. */
type Decide = (x: Exchange) => unknown

const decisionsPerTurn = 20_000
const warmUpRounds = 4
const roundsPerRound = 2
/** Requests under way at once, where something is waited for. */
const atOnce = 64

const inMemory: readonly Aim[] = [{ atMost: 5 }]
const inRedis: readonly Aim[] = [{ atMost: 60 }]

const window = '1h'
const limit = 100_000_000
const one = { limit, window }
const settings: Readonly<Record<string, object>> = {
  tokenBucket: one,
  slidingWindow: { ...one, algorithm: 'slidingWindow' },
  // As fast as a log may be, so that few are refused.
  slidingLog: { limit: 10_000, window: '20ms', algorithm: 'slidingLog' },
  fixedWindow: { ...one, algorithm: 'fixedWindow' },
  'a month': { limit, window: 'month' },
  'three limits': {
    limits: [
      { ...one, name: 'a' },
      { ...one, name: 'b', algorithm: 'slidingWindow' },
      { limit, window: 'month', name: 'c' },
    ],
  },
}

/** CPU time of one decision in this process: by each algorithm in memory, with and without an API key, and in Redis, beside bare commands. */
export async function measureLimits({ rounds }: Pick<Pace, 'rounds'>): Promise<ContestResult[]> {
  const results: ContestResult[] = []
  const key = keyCheck()
  for (const [name, options] of Object.entries(settings)) {
    const decide = limitOf({ ...options, store: 'memory' })
    const ways = {
      'with an API key': (x: Exchange): unknown => {
        key(x)
        return decide(x)
      },
      [name]: decide,
      'an API key alone': key,
      'an empty hook': (): void => {},
    }
    const turns = await takeTurns(ways, rounds)
    const aims = 'limits' in options ? [] : inMemory
    results.push(resultOf({ title: `Limits in memory: ${name}`, aims }, turns))
  }
  const server = await startRedis()
  const redis = new Redis(server.url)
  try {
    for (const [name, options] of Object.entries({ ...settings, 'leased by 20': { ...one, lease: 20 } })) {
      const ways = {
        [name]: limitOf({ ...options, store: 'redis', storeTimeout: '10s' }, redis),
        'a bare INCR': () => redis.incr('counter'),
        'a bare GET': () => redis.get('counter'),
      }
      const turns = await takeTurns(ways, rounds)
      turns.set('Redis itself', [await serverTurn(ways[name], server.pid)])
      results.push(resultOf({ title: `Limits in Redis: ${name}`, aims: inRedis }, turns))
    }
  } finally {
    redis.disconnect()
    await server.stop()
  }
  return results
}

function limitOf(options: object, redis?: Redis): Decide {
  const plugin = make(rateLimit, options, host({ redis, policy: policy({ id: JSON.stringify(options) }) }))
  return (x) => plugin.onRequest?.(x)
}

function keyCheck(): Decide {
  const consumers = [
    { id: '42', name: 'Bench', roles: ['reader'], scopes: [], keys: [{ hash: hashApiKey(apiKey) }] },
  ]
  const identity = createIdentity({ jwt: [], apiKeys: {}, consumers }, host())
  return (x) => {
    const found = identity.identify(x)
    if (found === undefined || found instanceof Promise) throw new Error('the key is not known')
    x.principal = found
  }
}

async function takeTurns(
  ways: Readonly<Record<string, Decide>>,
  rounds: number,
): Promise<Map<string, Figures[]>> {
  const turns = new Map(Object.keys(ways).map((name) => [name, [] as Figures[]]))
  for (let round = -warmUpRounds; round < rounds * roundsPerRound; round++) {
    for (const [name, decide] of Object.entries(ways)) {
      const requests = callers()
      const before = process.cpuUsage()
      await decideAll(decide, requests)
      const { user, system } = process.cpuUsage(before)
      if (round >= 0) turns.get(name)?.push({ cpuMicros: (user + system) / decisionsPerTurn })
    }
  }
  return turns
}

/** CPU time of the server for each decision. */
async function serverTurn(decide: Decide | undefined, pid: number): Promise<Figures> {
  const before = await cpuTimeMicros(pid)
  for (let i = 0; i < 3; i++) await decideAll(decide ?? (() => {}), callers())
  return { cpuMicros: ((await cpuTimeMicros(pid)) - before) / (3 * decisionsPerTurn) }
}

/** Made before anything is measured: a thousand callers in turn, all with a key. */
function callers(): Exchange[] {
  return Array.from({ length: decisionsPerTurn }, (_, i) => {
    const clientAddress = `10.0.${(i >> 8) & 3}.${i & 255}`
    return exchange({ request: { clientAddress, headers: { 'x-api-key': apiKey } } })
  })
}

async function decideAll(decide: Decide, requests: readonly Exchange[]): Promise<void> {
  for (let i = 0; i < requests.length; ) {
    const pending: Promise<unknown>[] = []
    for (let n = 0; n < atOnce && i < requests.length; n++) {
      try {
        const decided = decide(requests[i++] as Exchange)
        if (decided instanceof Promise) pending.push(decided.catch(refused))
      } catch {
        // Refused: decided, too.
      }
    }
    if (pending.length > 0) await Promise.all(pending)
  }
}

function refused(): void {}
