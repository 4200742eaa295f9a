import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Row } from '../../src/core/route.ts'
import { parseTemplate, type Segment, type Template } from '../../src/routing/template.ts'
import { insert, type TrieNode, trieNode, visitMatches } from '../../src/routing/trie.ts'
import { seeded } from '../plugins/harness.ts'
import { ask, row, tableOf } from './rows.ts'

const words = ['a', 'b', 'c', 'x:y', 'urn:a:b'] as const
const verbs = ['y', 'watch', 'b'] as const
const methods = ['GET', 'POST', 'PUT'] as const
const seed = 20_260_701

/** Slow and obviously right: every row against every path, and the best of those that match by comparing them whole. */
function slowMatch(rows: readonly Row[], method: string, path: string): string | undefined {
  const parsed = rows.map((one) => ({ row: one, template: parseTemplate(one.template) }))
  const known = new Set(parsed.map(({ template }) => template.verb).filter((verb) => verb !== ''))
  const segments = path === '/' ? [] : path.slice(1).split('/')
  const last = segments.at(-1) ?? ''
  const colon = last.lastIndexOf(':')
  const verb = colon === -1 ? '' : last.slice(colon + 1)
  const readings = [{ segments, verb: '' }]
  if (known.has(verb)) readings.unshift({ segments: [...segments.slice(0, -1), last.slice(0, colon)], verb })
  for (const reading of readings) {
    const taken = parsed
      .filter(({ template }) => template.verb === reading.verb && fits(template, reading.segments))
      .filter(({ row: { methods: own } }) => own.length === 0 || own.includes(method))
      .sort(
        (one, other) =>
          compare(one.template, other.template) || other.row.methods.length - one.row.methods.length,
      )
    if (taken[0] !== undefined) return taken[0].row.id
  }
  return undefined
}

function fits({ segments }: Pick<Template, 'segments'>, path: readonly string[]): boolean {
  const [segment, ...rest] = segments
  if (segment === undefined) return path.length === 0
  const [first, ...after] = path
  if (segment.kind === 'doubleStar') {
    return fits({ segments: rest }, path) || (first !== undefined && fits({ segments }, after))
  }
  if (first === undefined || (segment.kind === 'star' ? first === '' : first !== segment.text)) return false
  return fits({ segments: rest }, after)
}

/**
 * Literal before `*` before the end before `**`, at the first segment that tells them apart; of two `**` at one place the one
 * that more follows.
 */
function compare(a: Template, b: Template): number {
  for (let i = 0; i <= Math.max(a.segments.length, b.segments.length); i++) {
    const bothOpen = a.segments[i]?.kind === 'doubleStar' && b.segments[i]?.kind === 'doubleStar'
    if (bothOpen && a.segments.length !== b.segments.length) return b.segments.length - a.segments.length
    const difference = rank(a.segments[i]) - rank(b.segments[i])
    if (difference !== 0) return difference
  }
  return 0
}

function rank(segment: Segment | undefined): number {
  if (segment === undefined) return 2
  return { literal: 0, star: 1, doubleStar: 3 }[segment.kind]
}

test(`finds what a slow, obviously right matcher finds, over 600 random tables and 30,000 random requests (seed ${seed})`, () => {
  const random = seeded(seed)
  const upTo = (limit: number): number => Math.floor(random() * limit)
  const oneOf = <T>(items: readonly T[]): T => items[upTo(items.length)] as T
  const template = (): string => {
    const kinds = Array.from({ length: upTo(4) + 1 }, () => oneOf(['*', '*', 'a', 'b', 'c', '{v}']))
    if (random() < 0.4) kinds.splice(upTo(kinds.length + 1), 0, '**')
    const named = kinds.map((kind, i) => kind.replace('v', `v${i}`)).join('/')
    return random() < 0.3 ? `/${named}:${oneOf(verbs)}` : `/${named}`
  }
  let taken = 0
  for (let round = 0; round < 600; round++) {
    const rows = new Map<string, Row>()
    for (let i = upTo(14); i >= 0; i--) {
      const text = template()
      const own = random() < 0.5 ? [] : [oneOf(methods)]
      // Of rows that cannot be told apart there is only one.
      rows.set(`${text.replace(/\{\w+\}/g, '*')} ${own}`, row(text, { id: `${text} ${own}`, methods: own }))
    }
    const table = tableOf([...rows.values()])
    for (let i = 0; i < 50; i++) {
      const path = `/${Array.from({ length: upTo(7) }, () => oneOf(words)).join('/')}`
      const asked = random() < 0.3 && path !== '/' ? `${path}:${oneOf(verbs)}` : path
      const method = oneOf(methods)
      const expected = slowMatch([...rows.values()], method, asked)
      if (expected !== undefined) taken++
      const message = `${method} ${asked} among ${[...rows.values()].map(({ id }) => id).join(' | ')}`
      assert.equal(table.match(ask(`${method} ${asked}`)), expected, message)
    }
  }
  assert.ok(taken > 5_000, `only ${taken} requests were taken: the tables are too thin to tell anything`)
})

/** Makes every node count when it is looked at. */
function counted(root: TrieNode<string>): { looks: number } {
  const count = { looks: 0 }
  const watch = ({ literals, star, tails }: TrieNode<string>): void => {
    literals.get = (text) => {
      count.looks++
      return Map.prototype.get.call(literals, text) as TrieNode<string> | undefined
    }
    for (const child of literals.values()) watch(child)
    if (star !== undefined) watch(star)
    for (const { root: tail } of tails) watch(tail)
  }
  watch(root)
  return count
}

test('looks at as many nodes among 10,000 rows as among 10', (t) => {
  const looks = [10, 100, 1_000, 10_000].map((size) => {
    const root = trieNode<string>()
    for (let i = 0; i < size; i++) {
      for (const text of [
        `/v1/service${i}/{id}`,
        `/v1/service${i}/{id}/parts/{part}`,
        `/v1/service${i}/**`,
      ]) {
        insert(root, parseTemplate(text)).push(text)
      }
    }
    const count = counted(root)
    const found = [
      '/v1/service7/42',
      '/v1/service7/42/parts/1',
      '/v1/service7/42/other',
      '/v1/nobody/42',
    ].map((path) => visitMatches(root, path.slice(1).split('/'), new Set(), () => true))
    assert.deepEqual(found, [
      '/v1/service7/{id}',
      '/v1/service7/{id}/parts/{part}',
      '/v1/service7/**',
      undefined,
    ])
    return count.looks
  })
  t.diagnostic(`nodes looked at for four requests: ${looks.join(', ')}`)
  assert.deepEqual(new Set(looks).size, 1)
})

test('looks at no node twice, however long the path and however many "**" could end anywhere in it', () => {
  const root = trieNode<string>()
  let nodes = 1
  for (const start of ['/*/*/**', '/*/**', '/a/**', '/**']) {
    for (let length = 0; length < 20; length++) {
      for (const word of ['a', 'b', '*']) {
        insert(root, parseTemplate(`${start}${`/${word}`.repeat(length)}/end`)).push('never')
        nodes += length + 3
      }
    }
  }
  const count = counted(root)
  const path = Array.from({ length: 5_000 }, () => 'a')
  assert.equal(
    visitMatches(root, path, new Set(), () => true),
    undefined,
  )
  assert.ok(count.looks > 100 && count.looks <= nodes, `${count.looks} looks at ${nodes} nodes`)
})
