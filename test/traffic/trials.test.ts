import assert from 'node:assert/strict'
import { test } from 'node:test'
import { upstreamSchema } from '../../src/config/upstream-schema.ts'
import { GatewayError } from '../../src/core/error.ts'
import { silentLog } from '../../src/core/log.ts'
import type { Breaker } from '../../src/traffic/breaker.ts'
import { Call, type Transport } from '../../src/traffic/call.ts'
import { Destination } from '../../src/traffic/destination.ts'
import { dispatch } from '../../src/traffic/dispatch.ts'
import { Upstreams } from '../../src/upstreams.ts'
import { exchange, seeded } from '../plugins/harness.ts'

class PlainCall extends Call {
  readonly method = 'GET'
}

/** Who is under way on which circuit, and whether it began while that was half open. */
class Trials {
  readonly #underWay = new Map<Breaker, { readonly who: object; readonly period: number }[]>()
  most = 0

  begin(circuit: Breaker | undefined, who: object): void {
    if (circuit?.state(performance.now()) !== 'half_open') return
    const period = circuit.changes.half_open
    const all = this.#underWay.get(circuit) ?? []
    // The attempts of a call, two of them when it is hedged, are one trial of its upstream.
    if (!all.some((one) => one.who === who)) all.push({ who, period })
    this.#underWay.set(circuit, all)
    this.most = Math.max(this.most, all.filter((one) => one.period === period).length)
  }

  end(circuit: Breaker | undefined, who: object): void {
    if (circuit === undefined) return
    const all = this.#underWay.get(circuit) ?? []
    this.#underWay.set(
      circuit,
      all.filter((one) => one.who !== who),
    )
  }
}

for (const [what, upstream, { per, halfOpenMax }] of [
  ['one at a time', {}, { per: 'upstream', halfOpenMax: 1 }],
  ['two at a time, with hedges', { retry: { hedge: { after: '2ms' } } }, { per: 'both', halfOpenMax: 2 }],
  [
    'one at a time, in a panic',
    { loadBalancing: { panicThreshold: 100 } },
    { per: 'target', halfOpenMax: 1 },
  ],
  [
    'three at a time, the less busy of two',
    { loadBalancing: { policy: 'p2c' } },
    { per: 'target', halfOpenMax: 3 },
  ],
] as const) {
  test(`no more trials than may be, in a storm of calls that fail and hang at random: ${what}`, async () => {
    const random = seeded(20_261_121)
    const upstreams = new Upstreams(silentLog, { probe: false })
    const { upstream: made, release } = upstreams.take(
      'pool',
      upstreamSchema.parse({
        targets: [1, 2, 3].map((last) => ({ url: `http://127.0.0.${last}:1` })),
        healthChecks: { passive: { consecutiveErrors: 3, ejectFor: '5ms' } },
        circuitBreaker: { per, consecutiveFailures: 2, openFor: '100ms', halfOpenMax },
        ...upstream,
      }),
    )
    const destination = new Destination('test', made)
    const circuits = [made.circuit, ...made.endpoints.map(({ circuit }) => circuit)]
    const timesHalfOpen = () => circuits.reduce((sum, one) => sum + (one?.changes.half_open ?? 0), 0)
    const onUpstream = new Trials()
    const onTargets = new Trials()
    let asked = 0
    const transport: Transport<PlainCall, number> = {
      async send(attempt) {
        const { call, endpoint } = attempt
        asked++
        onUpstream.begin(made.circuit, call)
        onTargets.begin(endpoint.circuit, attempt)
        await new Promise((resolve) => setTimeout(resolve, random() * 6))
        onTargets.end(endpoint.circuit, attempt)
        if (random() < 0.4) throw new GatewayError('UPSTREAM_RESET', 'It was reset.')
        attempt.answered()
        return 200
      },
    }
    const refused = new Set<string>()
    const options = { idempotent: true, replayable: true, hedgeable: true }
    const one = async (): Promise<void> => {
      const call = new PlainCall(exchange(), destination, { headers: [], ...options })
      await dispatch(call, transport).catch((error: GatewayError) => refused.add(error.reason))
      onUpstream.end(made.circuit, call)
    }
    const storm: Promise<void>[] = []
    for (let turn = 0; turn < 1_000 || timesHalfOpen() < 10; turn++) {
      storm.push(one(), one(), one())
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    await Promise.all(storm)
    assert.ok(asked > 50, `${asked}`)
    assert.ok(refused.has('CIRCUIT_OPEN'))
    const most = Math.max(onUpstream.most, onTargets.most)
    assert.ok(
      most > 0 && most <= halfOpenMax,
      `of the upstream ${onUpstream.most}, of a target ${onTargets.most}`,
    )
    await release()
  })
}
