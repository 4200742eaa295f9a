import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeptBody } from '../../../src/front-ends/rest/kept-body.ts'

test('a body is kept up to its limit, and nothing of one beyond', () => {
  const kept = new KeptBody(10)
  assert.deepEqual([kept.take(Buffer.from('12345')), kept.take(Buffer.from('67890'))], [true, true])
  assert.equal(Buffer.concat(kept.chunks).toString(), '1234567890')
  assert.equal(kept.take(Buffer.from('1')), false)
  assert.deepEqual(kept.chunks, [])
})

test('small pieces are joined, in their order', () => {
  const kept = new KeptBody(100_000)
  let sent = ''
  for (let i = 0; i < 5_000; i++) {
    // Now and then a large one.
    const piece = i % 1_000 === 500 ? 'x'.repeat(2_000) : String(i % 10)
    sent += piece
    kept.take(Buffer.from(piece))
  }
  assert.equal(Buffer.concat(kept.chunks).toString(), sent)
  assert.ok(kept.chunks.length < 450, `${kept.chunks.length} pieces`)
})
