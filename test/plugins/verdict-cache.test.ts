import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VerdictCache } from '../../src/plugins/forward-auth/verdict-cache.ts'

const verdict = (headers: readonly string[] = []) => ({ headers, user: undefined })

test('a verdict is kept for its time and not a millisecond longer', () => {
  let now = 1_000
  const cache = new VerdictCache(500, () => now)
  cache.set('a', verdict())
  now = 1_499
  assert.ok(cache.get('a'))
  now = 1_500
  assert.equal(cache.get('a'), undefined)
  assert.equal(cache.size, 0)
})

test('10,000 verdicts are kept at the most, and the oldest go first', () => {
  const cache = new VerdictCache(500, () => 0)
  for (let i = 0; i < 10_010; i++) cache.set(`${i}`, verdict())
  assert.equal(cache.size, 10_000)
  assert.equal(cache.get('9'), undefined)
  assert.ok(cache.get('10'))
})

test('8 MiB are kept at the most, and nothing of more than 16 kB', () => {
  const cache = new VerdictCache(500, () => 0)
  for (let i = 0; i < 2_000; i++) cache.set(`${i}`, verdict(['x-tenant', 'a'.repeat(10_000)]))
  assert.ok(cache.size <= 838, `${cache.size}`)
  assert.ok(cache.get('1999'))
  cache.set('large', verdict(['x-tenant', 'a'.repeat(20_000)]))
  assert.equal(cache.get('large'), undefined)
})
