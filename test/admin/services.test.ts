import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertProblem, startAdmin } from './admin-world.ts'

const register = (service: string, port: number) => ({
  op: 'register',
  service,
  url: `http://10.0.${port >> 8}.${port & 255}:80`,
})

test('a batch of instances is done as a whole, or nothing of it', async (t) => {
  const { ask, gateway } = await startAdmin(t, {})
  const send = (operations: readonly object[], what = 'POST /services:batch') =>
    ask(what, { body: { operations } })
  const known = () => gateway.registry.services.flatMap((name) => gateway.registry.instances(name))
  const first = register('a', 1)
  assert.equal((await send([first])).status, 200)

  const bad: readonly (readonly [string, object])[] = [
    ['a service without a name', { ...register('', 2) }],
    ['a path', { op: 'register', service: 'a', url: 'http://10.0.0.2/x' }],
    ['a link-local address', { op: 'register', service: 'a', url: 'http://169.254.169.254' }],
    ['a weight below 0', { ...register('a', 2), weight: -1 }],
    ['too short a time to live', { ...register('a', 2), ttl: '1ms' }],
    ['an unknown operation', { ...register('a', 2), op: 'remove' }],
    ['nothing to renew by', { op: 'renew', service: 'a' }],
  ]
  for (const [what, one] of bad) {
    const told = await send([register('a', 3), { ...first, op: 'deregister' }, one])
    assertProblem(told, 400, 'INVALID_ARGUMENT', what)
    assert.match(told.text, /\/operations\/2/, what)
    assert.equal(known().length, 1, what)
  }

  // Up to the last place, of ten thousand.
  for (let at = 0; at < 10_000; at += 1_000) {
    const operations = Array.from({ length: at === 9_000 ? 998 : 1_000 }, (_, i) => register('b', at + i + 2))
    assert.equal((await send(operations)).status, 200)
  }
  assert.equal(known().length, 9_999)
  const two = [register('c', 20_001), register('c', 20_002)]
  for (const what of ['POST /services:batch', 'POST /services:batch?dryRun=true'])
    assertProblem(await send(two, what), 503, 'OVERLOADED', what)
  assert.equal(known().length, 9_999)
  // The same one twice, and one that is there: one place is enough.
  assert.equal((await send([two[0] ?? {}, two[0] ?? {}, first])).status, 200)
  assert.equal(known().length, 10_000)
})
