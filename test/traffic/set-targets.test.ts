import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Exchange } from '../../src/core/exchange.ts'
import type { BalancingPolicy } from '../../src/traffic/balancing/balancer.ts'
import type { Endpoint } from '../../src/traffic/endpoint.ts'
import { plainUpstream } from './plain-upstream.ts'

const policies: readonly BalancingPolicy[] = [
  'roundRobin',
  'random',
  'leastConnections',
  'consistentHash',
  'p2c',
  'peakEwma',
]

/** What choosing asks of an exchange. */
const x = {
  header: () => undefined,
  replyHeaders: [],
  request: { clientAddress: '127.0.0.1' },
} as unknown as Exchange

for (const policy of policies) {
  test(`whatever comes and goes, ${policy} picks what is there, and what went is closed after its last call`, async () => {
    const balancing = {
      policy,
      hashOn: ['ip'],
      slowStartMs: 50,
      panicThresholdPercent: 0,
      sticky: undefined,
    }
    const upstream = plainUpstream('pool', [], { balancing })
    const urls = Array.from({ length: 8 }, (_, index) => `http://10.0.0.${index}:1`)
    /** The model: one object for each URL for as long as it is listed, and the calls on each. */
    const listed = new Map<string, Endpoint>()
    const calls: Endpoint[] = []
    const closed = new Set<Endpoint>()
    for (let step = 0; step < 2_000; step++) {
      const dice = Math.random()
      if (dice < 0.1) {
        const chosen = urls.filter(() => Math.random() < 0.5)
        const weights = chosen.map(() => Math.floor(Math.random() * 3))
        upstream.setTargets(
          chosen.map((url, index) => ({
            url,
            weight: weights[index] ?? 0,
            priority: Math.floor(Math.random() * 2),
          })),
        )
        assert.deepEqual(
          upstream.endpoints.map(({ url, weight }) => [url, weight]),
          chosen.map((url, index) => [url, weights[index]]),
        )
        for (const [url, endpoint] of listed) if (!chosen.includes(url)) listed.delete(endpoint.url)
        for (const endpoint of upstream.endpoints) {
          const known = listed.get(endpoint.url)
          assert.ok(known === undefined || known === endpoint, 'who stays is the same object')
          assert.ok(!closed.has(endpoint))
          if (known === undefined) endpoint.onClose(() => closed.add(endpoint))
          listed.set(endpoint.url, endpoint)
        }
      } else if (dice < 0.6) {
        const first = Math.min(
          ...[...listed.values()].filter(({ weight }) => weight > 0).map(({ priority }) => priority),
        )
        const picked = upstream.pick(x, undefined)
        assert.equal(picked?.priority ?? Number.POSITIVE_INFINITY, first)
        if (picked === undefined) continue
        assert.equal(listed.get(picked.url), picked)
        picked.begin()
        calls.push(picked)
      } else {
        calls.splice(Math.floor(Math.random() * calls.length), 1)[0]?.end()
        await undefined
      }
      for (const endpoint of closed) assert.ok(!calls.includes(endpoint), 'closed while a call was on it')
    }
    for (const endpoint of calls.splice(0)) endpoint.end()
    upstream.setTargets([])
    await new Promise((resolve) => setImmediate(resolve))
    for (const endpoint of listed.values()) assert.ok(closed.has(endpoint))
    await upstream.close()
  })
}
