import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Door, frontEndOver, limits, openDoor } from './harness.ts'
import { longestPauseMs } from './longest-pause.ts'
import { inAllPlaces, type Subgraph, startSubgraph } from './subgraphs.ts'

/** `me { friends { friends { … id } } }` of that many levels. */
function deep(levels: number): string {
  return `{ me ${'{ friends '.repeat(levels - 2)}{ id }${' }'.repeat(levels - 2)} }`
}

const list = (count: number, item: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => item(i)).join(' ')

/** A chain of fragments in which each spreads the next one twice: 2^count fields when written out. */
const doubling = (count: number): string =>
  `{ me { ...F0 } } ${list(count, (i) => `fragment F${i} on User { id ...F${i + 1} ...F${i + 1} }`)} fragment F${count} on User { name }`

const allowed: [name: string, query: string][] = [
  ['depth', deep(limits.depth)],
  [
    'depth, the deepest part in fragments',
    `{ me { ...A } } fragment A on User { friends { ...B } } fragment B on User { id }`,
  ],
  ['aliases', `{ me { ${list(limits.aliases, (i) => `a${i}: id`)} } }`],
  [
    'root fields',
    `{ ${list(limits.rootFields, (i) => `${i === 0 ? '' : `a${i}: `}me`)} }`.replaceAll('me', 'me { id }'),
  ],
  [
    'directives',
    `query($t: Boolean! = true) { me { id ${list(limits.directives, () => '... @include(if: $t) { id }')} } }`,
  ],
]

const refused: [name: string, query: string, message: RegExp][] = [
  ['depth', deep(limits.depth + 1), /more levels than the limit of 15/],
  ['depth through a fragment', `{ me { ...A } } fragment A on User ${deep(16).slice(5, -2)}`, /levels/],
  [
    'depth in a fragment that nobody spreads',
    `{ me { id } } fragment A on User ${deep(20).slice(5, -2)}`,
    /levels/,
  ],
  [
    'aliases',
    `{ me { ${list(limits.aliases + 1, (i) => `a${i}: id`)} } }`,
    /more aliases than the limit of 30/,
  ],
  [
    'aliases through a fragment that is spread twice',
    `{ me { ...A } x: me { ...A } } fragment A on User { ${list(15, (i) => `a${i}: id`)} }`,
    /aliases/,
  ],
  ['tokens', `{ me { ${'id '.repeat(limits.tokens)} } }`, /more tokens than the limit of 15000/],
  [
    'root fields',
    `{ ${'me { id } '.repeat(limits.rootFields + 1)} }`,
    /more root fields than the limit of 20/,
  ],
  [
    'root fields through a fragment',
    `{ ...A ...A } fragment A on Query { ${'me { id } '.repeat(11)} }`,
    /root fields/,
  ],
  [
    'directives',
    `{ me { ${'... @include(if: true) { id } '.repeat(limits.directives + 1)} } }`,
    /more directives than the limit of 50/,
  ],
  [
    'fragments, used or not',
    `{ me { id } } ${list(limits.fragments + 1, (i) => `fragment F${i} on User { id }`)}`,
    /more fragments than the limit of 100/,
  ],
  [
    'fragments of repeated fields, which graphql-js stops comparing',
    `{ me { ${list(60, (i) => `...F${i}`)} } } ${list(60, (i) => `fragment F${i} on User { ${'id '.repeat(240)} }`)}`,
    /too much in one place/,
  ],
  ['directives on one field', `{ me { id ${'@include(if: true) '.repeat(51)} } }`, /directives/],
  ['selections side by side', `{ me { ${'id '.repeat(251)} } }`, /side by side/],
  [
    'inline fragments, nested',
    `{ me ${'{ ... '.repeat(200)}{ id }${' }'.repeat(200)} }`,
    /nested selections/,
  ],
  ['nested values', `{ userByName(name: ${'['.repeat(150)}1${']'.repeat(150)}) { id } }`, /nested values/],
  [
    'what overflows the parser',
    `{ me ${'{ friends '.repeat(7_000)}{ id }${' }'.repeat(7_000)} }`,
    /levels|nested/,
  ],
  ['fragments that double 12 times', doubling(14), /written out/],
  ['fragments that double 1,000 times', doubling(1_000), /more fragments than the limit of 100/],
]

const circular: [name: string, query: string][] = [
  ['spreads itself', '{ me { ...A } } fragment A on User { id ...A }'],
  [
    'spreads itself over another',
    '{ me { ...A } } fragment A on User { ...B } fragment B on User { friends { ...A } }',
  ],
  ['spreads itself and is not used', '{ me { id } } fragment A on User { ...A }'],
  [
    'is one of 60 that spread many others',
    `{ me { ...F0 } } ${list(60, (i) => `fragment F${i} on User { ${list(20, (j) => `...F${(i + 1 + j * 7) % 60}`)} }`)}`,
  ],
]

describe('GraphQL limits', () => {
  let accounts: Subgraph
  let door: Door
  /** Takes any number of fragments. */
  let wide: Door

  before(async () => {
    accounts = await startSubgraph('accounts')
    const all = inAllPlaces(accounts)
    door = await openDoor(await frontEndOver(all))
    wide = await openDoor(await frontEndOver(all, { limits: { ...limits, fragments: 100_000 } }))
  })
  after(() => Promise.all([door.close(), wide.close(), accounts.close()]))

  for (const [name, query] of allowed) {
    it(`lets an operation through that is just at the limit: ${name}`, async () => {
      const { errors, status } = await door.query(query)
      assert.deepEqual(errors, [])
      assert.equal(status, 200)
    })
  }

  for (const [name, query, message] of refused) {
    it(`refuses above the limit with 400 and asks no subgraph: ${name}`, async () => {
      accounts.requests.length = 0
      const { status, errors } = await door.query(query)
      assert.equal(status, 400)
      assert.equal(errors.length, 1)
      assert.match(errors[0]?.message ?? '', message)
      const { code, reason, number } = errors[0]?.extensions ?? {}
      assert.deepEqual(
        { code, reason, number },
        { code: 'GRAPHQL_VALIDATION_FAILED', reason: 'GRAPHQL_LIMIT_EXCEEDED', number: 'F40001' },
      )
      assert.equal(accounts.requests.length, 0)
    })
  }

  for (const [name, query] of circular) {
    it(`refuses a fragment that ${name}`, async () => {
      const { status, errors } = await door.query(query)
      assert.equal(status, 200)
      assert.match(errors[0]?.message ?? '', /spreads itself/)
      assert.equal(errors[0]?.extensions.reason, 'GRAPHQL_VALIDATION_FAILED')
    })
  }

  it('refuses the same document again when it is sent again', async () => {
    for (let i = 0; i < 2; i++) assert.equal((await door.query(deep(16))).status, 400)
  })

  const hostile: [name: string, query: string][] = [
    ...refused.map(([name, query]): [string, string] => [name, query]),
    ...circular,
    ['one field 14,000 times', `{ me { ${'id '.repeat(14_900)} } }`],
    ['one field with selections 4,000 times', `{ me { ${'friends { id } '.repeat(3_700)} } }`],
    [
      'one field with selections 240 times, 14 times over',
      `{ me { ${`friends { ${'friends { id } '.repeat(240)} } `.repeat(14)} } }`,
    ],
    [
      '240 fragments spread side by side',
      `{ me { ${list(240, (i) => `...F${i}`)} } } ${list(240, (i) => `fragment F${i} on User { id name friends { id name } }`)}`,
    ],
    [
      '240 fragments of repeated fields',
      `{ me { ${list(240, (i) => `...F${i}`)} } } ${list(240, (i) => `fragment F${i} on User { ${'id '.repeat(48)} }`)}`,
    ],
    [
      '1,000 fragments spread side by side',
      `{ me { ${list(1_000, (i) => `...F${i}`)} } } ${list(1_000, (i) => `fragment F${i} on User { id friends { id } }`)}`,
    ],
    [
      '300 fragments that spread all after them',
      `{ me { ...F0 } } ${list(150, (i) => `fragment F${i} on User { id ${list(Math.min(60, 149 - i), (j) => `...F${i + j + 1}`)} }`)}`,
    ],
    ['3,000 operations', list(3_000, (i) => `query Q${i} { cheapest { upc } }`)],
    ['unknown fields by the thousand', `{ me { ${list(14_900, (i) => `x${i}`)} } }`],
    ['unknown arguments by the thousand', `{ me(${list(4_900, (i) => `a${i}: 1`)}) { id } }`],
    ['variables by the thousand', `query(${list(3_500, (i) => `$v${i}: Int`)}) { me { id } }`],
    [
      'entities joined through nested fragments',
      `{ reviews { ...R0 } } ${list(6, (i) => `fragment R${i} on Review { body author { reviews { ...R${i + 1} } } product { reviews { ...R${i + 1} } } }`)} fragment R6 on Review { body }`,
    ],
  ]
  for (const [name, query] of hostile) {
    it(`does not hold up others for 300 ms: ${name}`, async () => {
      const longestMs = await longestPauseMs(() => wide.query(query))
      if (process.env.SHOW) console.log(`${longestMs.toFixed(0)} ms`, name)
      assert.ok(longestMs < 300, `the event loop stood still for ${longestMs.toFixed(0)} ms`)
    })
  }
})
