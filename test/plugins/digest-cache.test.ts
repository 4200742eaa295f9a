import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DigestCache } from '../../src/plugins/digest-cache.ts'

const mebibyte = 1_048_576

test('tokens are remembered up to 10,000, the last ones', () => {
  const cache = new DigestCache<{ readonly bytes: number }>()
  for (let i = 0; i < 10_001; i++) cache.set(`t${i}`, { bytes: 1 })
  assert.equal(cache.get('t0'), undefined)
  assert.deepEqual([cache.get('t1'), cache.get('t10000')], [{ bytes: 1 }, { bytes: 1 }])
})

test('long tokens are remembered up to 32 MiB, the last ones', () => {
  const cache = new DigestCache<{ readonly bytes: number }>()
  for (let i = 0; i < 33; i++) cache.set(`t${i}`, { bytes: mebibyte })
  assert.equal(cache.get('t0'), undefined)
  assert.ok(cache.get('t1') !== undefined && cache.get('t32') !== undefined)
})

test('what is remembered anew or forgotten is not counted twice', () => {
  const cache = new DigestCache<{ readonly bytes: number }>()
  cache.set('other', { bytes: mebibyte })
  for (let i = 0; i < 100; i++) cache.set('same', { bytes: mebibyte })
  for (let i = 0; i < 100; i++) {
    cache.set('gone', { bytes: mebibyte })
    cache.delete('gone')
  }
  assert.ok(cache.get('other') !== undefined && cache.get('same') !== undefined)
})
