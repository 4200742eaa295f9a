import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type EntryHead, EntryRing } from '../../src/request-log/entry-ring.ts'
import { headFields, separator } from '../../src/request-log/record.ts'

const place = { protocol: 'rest', route: 'users', template: '/users', configVersion: 1 }

/** A record whose path is this. */
function record(path: string): string {
  const fields = new Array<string>(headFields).fill('')
  fields[0] = 'a'.repeat(32) + 'b'.repeat(16)
  fields[2] = path
  return fields.join(separator)
}

/** What else is known of an entry. */
function head(at: number, durationMs: number): EntryHead {
  return { at, durationMs, status: 200, failed: false, lasting: false, place }
}

/** A ring that was given so many entries; the path of each is its number, as long as `length` says. */
function filled(options: { entries: number; bytes: number }, count: number, length: (n: number) => number) {
  const ring = new EntryRing({ ...options, node: 'test' })
  for (let n = 0; n < count; n++) ring.add(record(`/${n}/`.padEnd(length(n), 'x')), head(1_000 + n, n))
  return ring
}

describe('the ring of entries', () => {
  test('is empty before the first', () => {
    const ring = new EntryRing({ entries: 3, bytes: 10_000, node: 'test' })
    assert.deepEqual([ring.first, ring.next], [0, 0])
    assert.throws(() => ring.read(0), /not there/)
  })

  test('keeps the latest entries, and no more than it was made for', () => {
    const ring = filled({ entries: 3, bytes: 10_000 }, 10, () => 5)
    assert.deepEqual([ring.first, ring.next], [7, 10])
    assert.deepEqual(
      [7, 8, 9].map((n) => ring.read(n).path.split('/')[1]),
      ['7', '8', '9'],
    )
    assert.throws(() => ring.read(6), /not there/)
  })

  test('keeps no more text than it was made for; every entry that is there is whole', () => {
    let seed = 1
    // Lengths of a generator that is the same each time (Numerical Recipes).
    const length = (): number => {
      seed = (seed * 1_664_525 + 1_013_904_223) % 4_294_967_296
      return 5 + (seed % 700)
    }
    for (let count = 1; count < 400; count += 7) {
      const ring = filled({ entries: 50, bytes: 8_192 }, count, length)
      assert.equal(ring.next, count)
      assert.ok(
        ring.next - ring.first >= Math.min(count, 3),
        `${ring.next - ring.first} of ${count} are there`,
      )
      for (let n = ring.first; n < ring.next; n++) {
        assert.match(ring.read(n).path, new RegExp(`^/${n}/x*$`))
        assert.equal(ring.head(n).durationMs, n)
      }
    }
  })

  test('counts a text by its bytes, not by its letters', () => {
    const ring = filled({ entries: 100, bytes: 4_096 }, 100, () => 8)
    for (let n = 100; n < 200; n++) ring.add(record('é€😀'.repeat(20)), head(2_000, 1))
    for (let n = ring.first; n < ring.next; n++) assert.equal(ring.read(n).path, 'é€😀'.repeat(20))
  })

  test('finds the first entry of a time', () => {
    const ring = filled({ entries: 10, bytes: 100_000 }, 10, () => 5)
    assert.equal(ring.since(1_004), 4)
    assert.equal(ring.since(0), 0)
    assert.equal(ring.since(9_999), 10)
  })

  test('a clock that is set back leaves the order as it is', () => {
    const ring = new EntryRing({ entries: 3, bytes: 10_000, node: 'test' })
    ring.add(record('/a'), head(5_000, 1))
    ring.add(record('/b'), head(4_000, 1))
    assert.deepEqual([ring.at(0), ring.at(1)], [5_000, 5_000])
  })
})
