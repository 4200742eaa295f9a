import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import express from 'express'
import { sendEvents } from '../../src/admin/send-answer.ts'

test('a listener that reads nothing is told no more than its connection holds, and is cut off', async (t) => {
  let told = 0
  async function* endless(signal: AbortSignal) {
    for (; !signal.aborted; told++) {
      yield { data: 'x'.repeat(10_000) }
      await sleep(0)
    }
  }
  const app = express()
  const served = Promise.withResolvers<void>()
  app.get('/', (_, res) => {
    const gone = new AbortController()
    res.once('close', () => gone.abort())
    const { signal } = gone
    sendEvents(res, endless(signal), { signal, stalledMs: 300 }).then(served.resolve, served.reject)
  })
  const server = app.listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  t.after(() => socket.destroy())
  socket.pause()
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await served.promise
  // What the kernel holds for both ends of a connection on loopback is some megabytes.
  assert.ok(told < 3_000, `${told} events of 10 KB`)
  assert.ok(told > 5)
})
