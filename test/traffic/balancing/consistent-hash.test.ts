import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConsistentHash } from '../../../src/traffic/balancing/consistent-hash.ts'
import { hashText, mixBits } from '../../../src/traffic/balancing/hash.ts'
import { countPicks, outsideBound, type Target, targets } from './targets.ts'

const keys = Array.from({ length: 20_000 }, (_, i) => hashText(`user-${i}`))

/** The URL that each key goes to, by a balancer that was never asked before. */
function placed(candidates: readonly Target[], balancer = new ConsistentHash()): string[] {
  return keys.map((key) => balancer.pick(candidates, key).url)
}

/** The keys, by number, that are elsewhere now. */
function moved(before: readonly string[], after: readonly string[]): number[] {
  return before.flatMap((url, i) => (url === after[i] ? [] : [i]))
}

/** Five standard deviations above a share of the keys. */
function atMost(share: number): number {
  return keys.length * share + 5 * Math.sqrt(keys.length * share * (1 - share))
}

for (const weights of [
  [1, 1],
  [100, 100, 100],
  [1, 2, 3],
  Array.from({ length: 50 }, (_, i) => 1 + (i % 7)),
]) {
  const all = targets(...weights)
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const name = weights.length > 5 ? `${weights.length} targets` : weights.join(', ')

  test(`of ${name}: a target that goes takes its own keys along and no others, and gets the same ones back`, () => {
    const before = placed(all)
    all.forEach((gone, i) => {
      const balancer = new ConsistentHash()
      placed(all, balancer)
      const after = placed(
        all.filter((target) => target !== gone),
        balancer,
      )
      const changed = moved(before, after)
      assert.ok(changed.every((key) => before[key] === gone.url))
      assert.ok(changed.length <= atMost((weights[i] as number) / total), `${changed.length} keys moved`)
      assert.equal(moved(before, placed(all, balancer)).length, 0)
    })
  })

  test(`of ${name}: a new target takes its share, and every key that moves goes to it`, () => {
    const added = { ...(targets(2)[0] as Target), url: 'http://new.example:8080' }
    const before = placed(all)
    const after = placed([...all, added])
    const changed = moved(before, after)
    assert.ok(changed.every((key) => after[key] === added.url))
    assert.ok(changed.length <= atMost(2 / (total + 2)), `${changed.length} keys moved`)
    assert.ok(changed.length > 0)
  })

  test(`of ${name}: two gateways agree in whatever order they list the targets`, () => {
    assert.equal(moved(placed(all), placed([...all].reverse())).length, 0)
  })
}

test('a greater weight draws keys to the target and moves none between the others', () => {
  const all = targets(10, 10, 10, 10)
  const before = placed(all)
  const grown = all.map((target, i) => (i === 2 ? { ...target, effectiveWeight: 20 } : target))
  const after = placed(grown)
  const changed = moved(before, after)
  assert.ok(changed.every((key) => after[key] === all[2]?.url))
  // From a share of 1/4 to one of 2/5.
  assert.ok(changed.length <= atMost(2 / 5 - 1 / 4), `${changed.length} keys moved`)
  assert.ok(changed.length >= 2 * keys.length * (2 / 5 - 1 / 4) - atMost(2 / 5 - 1 / 4))
})

test('a weight that changes while the set stays is heeded at once', () => {
  const all = targets(1, 1)
  const balancer = new ConsistentHash()
  placed(all, balancer)
  ;(all[0] as Target).effectiveWeight = 9
  const share = placed(all, balancer).filter((url) => url === all[0]?.url).length / keys.length
  assert.ok(Math.abs(share - 0.9) < 0.02, `${share}`)
})

test('shares hold for keys that differ in little: numbers in a row, and a bit each', () => {
  const weights = [1, 2, 3, 4]
  const rows = {
    'hashes in a row': (i: number) => i,
    'high bits only': (i: number) => (i << 16) >>> 0,
    'texts in a row': (i: number) => hashText(String(i)),
  }
  for (const [name, hash] of Object.entries(rows)) {
    const counts = countPicks(new ConsistentHash(), targets(...weights), { picks: 60_000, hash })
    assert.deepEqual(outsideBound(counts, weights), [], name)
  }
})

test('shares by weight also hold for 1,000 targets of which one is 65,535 times as heavy as another', () => {
  const weights = Array.from({ length: 1_000 }, (_, i) => (i === 0 ? 1 : i < 10 ? 65_535 : 1_000))
  const counts = countPicks(new ConsistentHash(), targets(...weights), {
    picks: 20_000,
    hash: (i) => hashText(`key ${i}`),
  })
  assert.deepEqual(outsideBound(counts, weights), [])
})

test('chooses the greatest of all scores -weight / ln(u), worked out one by one', () => {
  for (const weights of [
    [1, 1, 1],
    [1, 2, 3],
    [5, 5, 2, 2, 5],
    [1, 65_535, 700, 700],
  ]) {
    const all = targets(...weights)
    const balancer = new ConsistentHash()
    for (const key of keys.slice(0, 5_000)) {
      const scores = all.map(({ url, effectiveWeight }) => {
        const bits = mixBits(Math.imul(key ^ hashText(url), hashText(url, 1) | 1)) >>> 0
        return -effectiveWeight / Math.log((bits + 0.5) / 2 ** 32)
      })
      assert.equal(balancer.pick(all, key), all[scores.indexOf(Math.max(...scores))])
    }
  }
})

test('which target a key belongs to is the same in every release: a change here moves the keys of everyone', () => {
  const all = targets(1, 2, 3)
  const balancer = new ConsistentHash()
  const chosen = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi'].map(
    (name) => balancer.pick(all, hashText(name)).url,
  )
  const numbers = chosen.map((url) => all.findIndex((target) => target.url === url))
  assert.deepEqual(numbers, [2, 2, 1, 2, 1, 2, 2, 2])
})
