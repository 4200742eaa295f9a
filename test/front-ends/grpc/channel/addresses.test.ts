import assert from 'node:assert/strict'
import dns, { type LookupAddress } from 'node:dns'
import { test } from 'node:test'
import { startBackend } from './backend.ts'
import { call, openFast } from './channels.ts'

type Found = (error: Error | null, addresses: LookupAddress[] | string, family?: number) => void

test('a name is looked up for every connection: a backend that moved is found when the old one is gone', async (t) => {
  let address = '127.0.0.1'
  let lookups = 0
  t.mock.method(dns, 'lookup', (name: string, options: { all?: boolean }, found: Found) => {
    const known = name === 'backend.test'
    if (known) lookups++
    const answer = known ? address : name
    const all = [{ address: answer, family: 4 }]
    process.nextTick(() => (options.all === true ? found(null, all) : found(null, answer, 4)))
  })
  const before = await startBackend()
  t.after(() => before.close())
  const channel = openFast(`http://backend.test:${before.port}`)
  t.after(() => channel.close())
  assert.equal((await call(channel)).end.code, 0)
  assert.equal((await call(channel)).end.code, 0)
  assert.equal(lookups, 1, 'calls on one connection look nothing up')

  const moved = await startBackend({ host: '127.0.0.2', port: before.port })
  t.after(() => moved.close())
  address = '127.0.0.2'
  before.close()
  let told = await call(channel)
  while (told.end.code !== 0) told = await call(channel)
  assert.equal(moved.seen.calls, 1)
})
