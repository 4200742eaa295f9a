import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { Principal } from '../../../../src/core/principal.ts'
import { type Door, openDoor } from '../harness.ts'
import { caller, frontEndTo, type RecordingSubgraph, startRecording } from './recording.ts'
import { shop } from './shop.ts'

/** A way to ask for what is refused; the sources are the directives' pages of Apollo Federation, and the advisories named. */
interface Attack {
  readonly name: string
  readonly query: string
  readonly variables?: object
  /** Undefined: nobody. */
  readonly as?: Principal
  readonly data: unknown
  /** `path reason` of each error. */
  readonly errors: readonly string[]
  /** What no subgraph may hear. */
  readonly unheard: RegExp
}

const attacks: readonly Attack[] = [
  {
    name: 'the field itself',
    query: '{ me { name ssn } }',
    data: { me: { name: 'Ada', ssn: null } },
    errors: ['me.ssn NO_CREDENTIALS'],
    unheard: /ssn/,
  },
  {
    name: 'the field itself, of a caller who is known and lacks the scope',
    query: '{ me { ssn email name } }',
    as: caller('other'),
    data: { me: { ssn: null, email: '1@example.com', name: 'Ada' } },
    errors: ['me.ssn SCOPE_MISSING'],
    unheard: /ssn/,
  },
  {
    name: 'an alias',
    query: '{ me { name: ssn id: ssn ssn: name } }',
    data: { me: { name: null, id: null, ssn: 'Ada' } },
    errors: ['me.name NO_CREDENTIALS', 'me.id NO_CREDENTIALS'],
    unheard: /\bssn\b(?!:)/,
  },
  {
    name: 'an alias that is __typename',
    query: '{ me { __typename: ssn } }',
    data: { me: { __typename: null } },
    errors: ['me.__typename NO_CREDENTIALS'],
    unheard: /ssn/,
  },
  {
    name: 'an alias like the key by which objects tell their type',
    query: '{ me { _type: name ssn } things { ... on Vault { _type_: code } } }',
    data: { me: { _type: 'Ada', ssn: null }, things: [{}, { _type_: null }, {}] },
    errors: ['me.ssn NO_CREDENTIALS', 'things.1._type_ NO_CREDENTIALS'],
    unheard: /ssn|code/,
  },
  {
    name: 'an alias that is __proto__, beside and above what is refused',
    query: '{ __proto__: me { name __proto__: ssn } me { ssn __proto__: name } }',
    data: JSON.parse('{"__proto__":{"name":"Ada","__proto__":null},"me":{"ssn":null,"__proto__":"Ada"}}'),
    errors: ['__proto__.__proto__ NO_CREDENTIALS', 'me.ssn NO_CREDENTIALS'],
    unheard: /ssn/,
  },
  {
    name: 'a fragment',
    query: '{ me { ...A } } fragment A on User { name ...B } fragment B on User { ssn }',
    data: { me: { name: 'Ada', ssn: null } },
    errors: ['me.ssn NO_CREDENTIALS'],
    unheard: /ssn/,
  },
  {
    name: 'a fragment that nothing is left of',
    query: '{ me { ...A } } fragment A on User { ssn }',
    data: { me: { ssn: null } },
    errors: ['me.ssn NO_CREDENTIALS'],
    unheard: /ssn|fragment/,
  },
  {
    name: 'an inline fragment without a type',
    query: '{ me { ... { ssn } ... @include(if: true) { x: ssn } } }',
    data: { me: { ssn: null, x: null } },
    errors: ['me.ssn NO_CREDENTIALS', 'me.x NO_CREDENTIALS'],
    unheard: /ssn/,
  },
  {
    name: '@include and @skip by variables, one of them by its default',
    query: `query($no: Boolean!, $yes: Boolean = true) {
      me { name a: ssn @include(if: $no) b: ssn @include(if: $yes) c: ssn @skip(if: $yes) d: ssn @skip(if: $no)
        ... @include(if: $no) { e: ssn } ... on User @skip(if: $no) { f: ssn } } }`,
    variables: { no: false },
    data: { me: { name: 'Ada', b: null, d: null, f: null } },
    errors: ['me.b NO_CREDENTIALS', 'me.d NO_CREDENTIALS', 'me.f NO_CREDENTIALS'],
    unheard: /ssn/,
  },
  {
    name: 'a list',
    query: '{ users { name ssn } }',
    data: {
      users: [
        { name: 'Ada', ssn: null },
        { name: 'Alan', ssn: null },
      ],
    },
    errors: ['users.0.ssn NO_CREDENTIALS', 'users.1.ssn NO_CREDENTIALS'],
    unheard: /ssn/,
  },
  {
    name: 'a field that may not be null, below one that may',
    query: '{ me { name best { pin } } }',
    data: { me: { name: 'Ada', best: null } },
    errors: ['me.best.pin NO_CREDENTIALS'],
    unheard: /pin/,
  },
  {
    name: 'a field that may not be null, in a list that may not have null',
    query: '{ me { name friends { pin } } }',
    data: { me: null },
    errors: ['me.friends.0.pin NO_CREDENTIALS'],
    unheard: /pin/,
  },
  {
    name: 'a field that may not be null, at the root',
    query: '{ open strict }',
    data: null,
    errors: ['strict NO_CREDENTIALS'],
    unheard: /strict/,
  },
  {
    name: 'only what is refused',
    query: '{ either audit { entry } }',
    as: caller(),
    data: { either: null, audit: null },
    errors: ['either SCOPE_MISSING', 'audit POLICY_REFUSED'],
    unheard: /./,
  },
  {
    name: 'one scope of two that are needed together',
    query: '{ either open }',
    as: caller('b', 'a b'),
    data: { either: null, open: 'open' },
    errors: ['either SCOPE_MISSING'],
    unheard: /either/,
  },
  {
    name: 'an empty list of alternatives',
    query: '{ impossible open }',
    as: caller('a', 'b', 'c', 'pii', ''),
    data: { impossible: null, open: 'open' },
    errors: ['impossible SCOPE_MISSING'],
    unheard: /impossible/,
  },
  {
    name: 'a policy that nobody decides',
    query: '{ ghost open }',
    as: caller('nobodyDecides'),
    data: { ghost: null, open: 'open' },
    errors: ['ghost POLICY_REFUSED'],
    unheard: /ghost/,
  },
  {
    name: 'a policy, by a role of that name',
    query: '{ audit { entry } open }',
    as: { ...caller('auditor'), roles: ['auditor'] },
    data: { audit: null, open: 'open' },
    errors: ['audit POLICY_REFUSED'],
    unheard: /audit/,
  },
  {
    name: 'a type, by a field that leads to it',
    query: '{ vault { code } open }',
    as: caller(),
    data: { vault: null, open: 'open' },
    errors: ['vault SCOPE_MISSING'],
    unheard: /vault|code/,
  },
  {
    name: 'a type, by __typename only',
    query: '{ vault { __typename } open }',
    as: caller(),
    data: { vault: null, open: 'open' },
    errors: ['vault SCOPE_MISSING'],
    unheard: /vault/,
  },
  {
    name: 'a type, by a union',
    query: '{ things { __typename ... on Rock { weight } ... on Vault { code } ... on User { name } } }',
    as: caller(),
    data: {
      things: [
        { __typename: 'Rock', weight: 3 },
        { __typename: 'Vault', code: null },
        { __typename: 'User', name: 'Alan' },
      ],
    },
    errors: ['things.1.code SCOPE_MISSING'],
    unheard: /code/,
  },
  {
    name: 'a type, by a union without __typename, in a fragment of its own',
    query: '{ things { ...V } } fragment V on Vault { code room { ssn } }',
    as: caller(),
    data: { things: [{}, { code: null, room: null }, {}] },
    errors: ['things.1.code SCOPE_MISSING', 'things.1.room SCOPE_MISSING'],
    unheard: /code|room|ssn/,
  },
  {
    name: 'an enum',
    query: '{ me { level levels name } }',
    as: caller(),
    data: { me: { level: null, levels: null, name: 'Ada' } },
    errors: ['me.level SCOPE_MISSING', 'me.levels SCOPE_MISSING'],
    unheard: /level/,
  },
  {
    name: 'a scalar',
    query: '{ me { born name } }',
    data: { me: { born: null, name: 'Ada' } },
    errors: ['me.born NO_CREDENTIALS'],
    unheard: /born/,
  },
  {
    name: 'an interface that a protected type implements',
    query: '{ nodes { id } open }',
    data: null,
    errors: ['nodes NO_CREDENTIALS'],
    unheard: /nodes/,
  },
  {
    name: 'a field of an interface that one type protects (CVE-2025-64530)',
    query: '{ animals { name ... on Dog { bark } } }',
    as: caller(),
    data: { animals: [{ name: null, bark: 'wuff' }, { name: null }] },
    errors: ['animals.0.name SCOPE_MISSING', 'animals.1.name SCOPE_MISSING'],
    unheard: /\bname\b/,
  },
  {
    name: 'a field of an interface, by the types one by one (CVE-2025-64530)',
    query: '{ animals { ... on Dog { name } ... on Cat { name meow } } }',
    as: caller(),
    data: { animals: [{ name: 'Rex' }, { name: null, meow: 'miau' }] },
    errors: ['animals.1.name SCOPE_MISSING'],
    unheard: /on Cat[^}]*\bname\b/,
  },
  {
    name: 'a field of an interface, merged with that of a type that does not protect it',
    query: '{ animals { name ... on Dog { name } } }',
    as: caller(),
    data: { animals: [{ name: 'Rex' }, { name: null }] },
    errors: ['animals.1.name SCOPE_MISSING'],
    unheard: /on Cat/,
  },
  {
    name: 'another subgraph that needs it to answer (@requires, CVE-2025-64173)',
    query: '{ me { name risk reviews { body } } }',
    as: caller(),
    data: { me: { name: 'Ada', risk: null, reviews: [{ body: 'of 1' }] } },
    errors: ['me.risk SCOPE_MISSING'],
    unheard: /ssn|risk/,
  },
  {
    name: 'a way around by other subgraphs',
    query: '{ reviews { author { reviews { author { ssn name } } } } }',
    as: caller(),
    data: { reviews: [{ author: { reviews: [{ author: { ssn: null, name: 'Ada' } }] } }] },
    errors: ['reviews.0.author.reviews.0.author.ssn SCOPE_MISSING'],
    unheard: /ssn/,
  },
  {
    name: 'the same field under one key with another selection',
    query: '{ me { best { name } } me { best { ssn } ...A } } fragment A on User { best { pin } }',
    as: caller(),
    data: { me: { best: null } },
    errors: ['me.best.ssn SCOPE_MISSING', 'me.best.pin SCOPE_MISSING'],
    unheard: /ssn|pin/,
  },
  {
    name: 'a field whose argument has its name',
    query: 'query($pin: String!) { userByPin(pin: $pin) { name pin } }',
    variables: { pin: 'x' },
    as: caller(),
    data: { userByPin: null },
    errors: ['userByPin.pin SCOPE_MISSING'],
    unheard: /\{[^}]*\bpin\b(?!:|\))[^"]*\}\}"/,
  },
  {
    name: 'another operation of the document',
    query: 'query A { open } query B { me { ssn } }',
    variables: {},
    data: { me: { ssn: null } },
    errors: ['me.ssn NO_CREDENTIALS'],
    unheard: /ssn/,
  },
]

describe('fields that a caller is refused, and tricks to get them', () => {
  let subgraphs: RecordingSubgraph[]
  let door: Door
  let principal: Principal | undefined

  before(async () => {
    subgraphs = await Promise.all(
      Object.entries(shop).map(([name, subgraph]) => startRecording(name, subgraph)),
    )
    const policies = new Map([['auditor', ({ roles }: Principal) => roles.includes('chief')]])
    door = await openDoor(await frontEndTo(subgraphs, { authorization: { policies } }), {
      onRequest: [
        (x) => {
          x.principal = principal
        },
      ],
    })
  })
  after(() => Promise.all([door.close(), ...subgraphs.map((one) => one.close())]))
  beforeEach(() => {
    for (const { heard } of subgraphs) heard.length = 0
  })

  for (const { name, query, variables, as, data, errors, unheard } of attacks) {
    // Twice: what is remembered of an operation must refuse as well.
    it(`refuses ${name}`, async () => {
      principal = as
      for (const _ of [1, 2]) {
        const answer = await door.query(query, {
          variables,
          ...(query.includes('query B') ? { operationName: 'B' } : {}),
        })
        const said = answer.errors.map(
          ({ path = [], extensions }) => `${path.join('.')} ${extensions.reason}`,
        )
        assert.deepEqual(said, errors)
        assert.equal(JSON.stringify(answer.data), JSON.stringify(data))
        assert.equal(answer.status, 200)
        for (const { heard } of subgraphs) for (const body of heard) assert.doesNotMatch(body, unheard)
      }
    })
  }

  it('answers all of it to those who may have it, also right after those who may not', async () => {
    const query = '{ me { ssn pin level risk email } vault { code } either audit { entry } animals { name } }'
    principal = caller()
    assert.notEqual((await door.query(query)).errors.length, 0)
    principal = { ...caller('pii', 'level', 'vault', 'c', 'cats'), roles: ['chief'] }
    const { data, errors } = await door.query(query)
    assert.deepEqual(errors, [])
    assert.deepEqual(data, {
      me: { ssn: 'ssn-1', pin: 'pin-1', level: 'HIGH', risk: 5, email: '1@example.com' },
      vault: { code: '0000' },
      either: 'either',
      audit: { entry: 'x' },
      animals: [{ name: 'Rex' }, { name: 'Tom' }],
    })
    principal = undefined
    assert.notEqual((await door.query(query)).errors.length, 0)
  })
})
