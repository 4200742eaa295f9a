import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Exchange } from '../../../src/core/exchange.ts'
import { compilePercentile } from '../../../src/traffic/canary/percentile.ts'
import { exchange } from '../../plugins/harness.ts'
import { outsideBound } from '../balancing/targets.ts'

function ofUser(id: string, clientAddress = '192.0.2.1'): Exchange {
  const x = exchange({ request: { clientAddress } })
  x.principal = { id, roles: [], scopes: [], via: 'jwt' }
  return x
}

const users = Array.from({ length: 20_000 }, (_, n) => ofUser(`user-${n}`))
const percentile = compilePercentile(['user', 'ip'], 'users')

for (const weight of [0.5, 1, 5, 25, 50, 99]) {
  test(`${weight} % of the users are on the canary's side`, () => {
    const chosen = users.filter((x) => percentile(x) < weight).length
    assert.deepEqual(outsideBound([chosen, users.length - chosen], [weight, 100 - weight]), [])
  })
}

test('nobody is at 0, everybody at 100', () => {
  assert.ok(users.every((x) => percentile(x) >= 0 && percentile(x) < 100))
})

test('the same user stays on the same side, whatever the address and the process', () => {
  const another = compilePercentile(['user', 'ip'], 'users')
  for (const x of users.slice(0, 500)) {
    const elsewhere = ofUser(x.principal?.id ?? '', '198.51.100.9')
    assert.equal(another(elsewhere), percentile(x))
  }
})

test('releases at different places pick different users', () => {
  const other = compilePercentile(['user', 'ip'], 'orders')
  const mine = users.filter((x) => percentile(x) < 10)
  const both = mine.filter((x) => other(x) < 10).length
  assert.deepEqual(outsideBound([both, mine.length - both], [10, 90]), [])
})

test('a request without any of the keys is known by its address', () => {
  const byCookie = compilePercentile(['cookie:sid'], 'users')
  const from = (clientAddress: string, cookie?: string) =>
    byCookie(exchange({ request: { clientAddress, headers: cookie === undefined ? {} : { cookie } } }))
  assert.equal(from('192.0.2.1'), from('192.0.2.1'))
  assert.notEqual(from('192.0.2.1'), from('192.0.2.2'))
  assert.equal(from('192.0.2.1', 'sid=a'), from('192.0.2.2', 'sid=a'))
})
