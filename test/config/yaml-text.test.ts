import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stringify } from 'yaml'
import { parseYaml } from '../../src/config/yaml-text.ts'
import { readConfig } from '../../src/control/edit-config.ts'
import { startGateway } from '../world.ts'

/** Far beyond what they take: seconds each, where they took minutes or all of the memory. */
const soon = { timeout: 60_000 }
const numbered = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('\n')
const hostile = { read: { write: false, keys: false, all: false } }

test('many keys take no time that grows with their square, and one that is there twice is told', soon, () => {
  const many = numbered(50_000, (i) => `k${i}: v`)
  assert.deepEqual(
    parseYaml(`${many}\nk7: w`).errors.map(({ code }) => code),
    ['DUPLICATE_KEY'],
  )
})

test('aliases of aliases are refused before they become what they stand for', soon, () => {
  const levels = numbered(9, (i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(', ')}]`)
  assert.throws(() => readConfig(`a0: &a0 [x, x, x]\n${levels}`), /aliases/)
  const one = `a: &a [${Array(2_000).fill('x').join(', ')}]\n${numbered(200, (i) => `b${i}: *a`)}`
  assert.throws(() => readConfig(one), /aliases/)
  assert.deepEqual(readConfig('a: &a [x]\nb: *a').data, { a: ['x'], b: ['x'] })
})

const mistakes: readonly (readonly [what: string, text: string])[] = [
  ['unknown keys', numbered(15_000, (i) => `unknown${i}: 1`)],
  ['unknown keys of a route', `routes: [{ id: a, ${numbered(12_000, (i) => `x${i}: 1,`)} }]`],
  [
    'upstreams that are not there, among many',
    stringify({
      upstreams: Object.fromEntries(
        Array.from({ length: 2_000 }, (_, i) => [`upstream-${i}`, { targets: [{ url: 'http://a' }] }]),
      ),
      routes: Array.from({ length: 2_000 }, (_, i) => ({
        id: `r${i}`,
        path: `/${i}`,
        upstream: `other-${i}`,
      })),
    }),
  ],
  ['a name that is all of it', `routes: [{ id: a, path: /a, upstream: ${'x'.repeat(200_000)} }]`],
]

for (const [what, text] of mistakes)
  test(`a check of many mistakes ends soon: ${what}`, soon, async (t) => {
    assert.ok(text.length < 262_144)
    const { gateway } = await startGateway(t, { upstreams: { xx: { targets: [{ url: 'http://a' }] } } })
    const problems = await gateway.control.validate(text, hostile.read)
    assert.ok(problems.length > 0)
    assert.ok(JSON.stringify(problems).length < 2_000_000)
  })

test('who may only read has nothing checked or compared that is much larger than what runs', async (t) => {
  const { gateway } = await startGateway(t, {})
  const { control } = gateway
  const text = `# ${'x'.repeat(300_000)}\nroutes: []`
  await assert.rejects(control.validate(text, hostile.read), /takes the scope "write"/)
  await assert.rejects(control.diff({ text }, { powers: hostile.read }), /takes the scope "write"/)
  assert.deepEqual(await control.validate(text), [])
})
