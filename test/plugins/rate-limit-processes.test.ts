import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { freePort } from '../services/free-port.ts'
import { type OwnNode, startOwnNode } from '../services/own-node.ts'
import { ownFolder } from '../services/own-process.ts'
import { type Redis, startRedis } from '../services/redis.ts'

// Four gateways, each a process of its own, that count in one Redis while all of them are under load.

const gatewayCount = 4
const limit = 300
/** Long enough that nothing is earned anew meanwhile, or turns into another window. */
const window = '365d'
const lease = 16
const shared = { by: 'route', store: 'redis', storeTimeout: '60s', onStoreError: 'deny' }

const limits: Readonly<Record<string, object>> = {
  tokenBucket: { limit, window, algorithm: 'tokenBucket' },
  slidingWindow: { limit, window, algorithm: 'slidingWindow' },
  slidingLog: { limit, window, algorithm: 'slidingLog' },
  fixedWindow: { limit, window, algorithm: 'fixedWindow' },
  month: { limit, window: 'month' },
  cost: { limit: 3 * limit, window, cost: 3 },
  stack: {
    limits: [
      { name: 'a', limit, window, algorithm: 'slidingLog' },
      { name: 'b', limit: 2 * limit, window: 'month' },
    ],
  },
  leased: { limit, window, lease },
  leaky: { limit: 100, window: '1s', algorithm: 'leakyBucket', queue: 20 },
}

let redis: Redis
const gateways: OwnNode[] = []
const agent = new Agent({ keepAlive: true, maxSockets: 16 })

before(async () => {
  redis = await startRedis()
  const routes = Object.entries(limits).map(([id, options]) => ({
    id,
    path: `/${id}`,
    respond: { status: 204 },
    auth: 'none',
    plugins: [{ rateLimit: { ...shared, ...options } }],
  }))
  await Promise.all(
    Array.from({ length: gatewayCount }, async () => {
      const port = await freePort()
      const folder = await ownFolder('gateway')
      const file = join(folder, 'gateway.yaml')
      const server = { listen: `127.0.0.1:${port}`, overload: { eventLoopDelay: '0s' } }
      await writeFile(file, JSON.stringify({ server, stores: { redis: { url: redis.url } }, routes }))
      gateways.push(
        await startOwnNode({ file: 'src/main.ts', args: ['start', '--config', file], port, folder }),
      )
    }),
  )
  // Until each has its connection to Redis.
  for (const { url } of gateways) {
    for (;;) {
      const text = await (await fetch(`${url}/readyz?verbose`)).text()
      if (/"redis"[^}]*"up"/.test(text)) break
    }
  }
})
after(async () => {
  agent.destroy()
  for (const gateway of gateways) await gateway[Symbol.asyncDispose]()
  await redis.stop()
})

function ask(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent }, (reply) => {
      reply.resume().on('end', () => resolve(reply.statusCode ?? 0))
    })
    asked.on('error', reject).end()
  })
}

/** Asks all gateways at once, each so many times, 16 at a time. */
async function flood(path: string, perGateway: number): Promise<Map<number, number>> {
  const counts = new Map<number, number>()
  const work = async (url: string): Promise<void> => {
    for (let i = 0; i < perGateway / 16; i++) {
      const status = await ask(`${url}${path}`)
      counts.set(status, (counts.get(status) ?? 0) + 1)
    }
  }
  await Promise.all(gateways.flatMap(({ url }) => Array.from({ length: 16 }, () => work(url))))
  return counts
}

for (const id of Object.keys(limits).filter((one) => one !== 'leased' && one !== 'leaky')) {
  test(`${id}: ${gatewayCount} gateways under load admit ${limit} together, not one more or less`, async (t) => {
    const counts = await flood(`/${id}`, 320)
    t.diagnostic(JSON.stringify([...counts]))
    assert.equal(counts.get(204), limit)
    assert.equal(counts.get(429), gatewayCount * 320 - limit)
  })
}

test(`leased by ${lease}: none more than ${limit}, and at most ${lease - 1} less for each gateway`, async (t) => {
  const counts = await flood('/leased', 320)
  t.diagnostic(JSON.stringify([...counts]))
  const admitted = counts.get(204) ?? 0
  assert.ok(admitted <= limit && admitted >= limit - gatewayCount * (lease - 1), `${admitted}`)
})

test('leakyBucket: no more pass than its pace allows, however many wait', async (t) => {
  const startedAt = performance.now()
  const counts = await flood('/leaky', 160)
  const seconds = (performance.now() - startedAt) / 1_000
  t.diagnostic(`${JSON.stringify([...counts])} in ${seconds} s`)
  const admitted = counts.get(204) ?? 0
  assert.ok(admitted >= 21 && admitted <= 21 + Math.ceil(100 * seconds), `${admitted} in ${seconds} s`)
  assert.equal(admitted + (counts.get(429) ?? 0), gatewayCount * 160)
})
