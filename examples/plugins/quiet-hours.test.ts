import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBackend, startGateway } from '../../test/world.ts'
import { plugin } from './quiet-hours.ts'

test('refuses requests in quiet hours with 403', async (t) => {
  const backend = await startBackend(t)
  const { url } = await startGateway(
    t,
    {
      upstreams: { echo: { targets: [{ url: backend.url }] } },
      routes: [
        {
          id: 'echo',
          path: '/echo',
          upstream: 'echo',
          auth: 'none',
          plugins: [{ quietHours: { from: 0, to: 23 } }],
        },
      ],
    },
    { plugins: [plugin], now: () => Date.UTC(2026, 0, 1, 3) },
  )
  const reply = await fetch(`${url}/echo`)
  assert.equal(reply.status, 403)
  assert.match(await reply.text(), /Closed from 0 to 23/)
})
