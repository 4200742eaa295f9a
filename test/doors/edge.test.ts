import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startGateway } from '../world.ts'
import { doors } from './door.ts'

const consumers = [{ id: 'acme', keys: [{ hash: `sha256:${'0'.repeat(64)}` }] }]

for (const door of doors) {
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
  })
}
