import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Logger, silentLog } from '../../../../src/core/log.ts'
import type { Principal } from '../../../../src/core/principal.ts'
import type { GraphqlOptions } from '../../../../src/front-ends/graphql/front-end.ts'
import { composeSupergraph } from '../../../../src/front-ends/graphql/supergraph.ts'
import { type Answer, openDoor } from '../harness.ts'
import { caller, frontEndTo, link, type RecordingSubgraph, startRecording } from './recording.ts'

const sources = {
  one: {
    sdl: `${link}
type Query { me: User animals: [Animal!]! }
type User @key(fields: "id") @key(fields: "email") {
  id: ID!
  email: String! @authenticated
  ssn: String @requiresScopes(scopes: [["pii"]])
  both: String @shareable @requiresScopes(scopes: [["one"]])
}
interface Animal { name: String noise: String }
type Dog implements Animal { name: String noise: String @policy(policies: [["loud"]]) }
type Cat implements Animal { name: String noise: String }`,
    resolvers: {
      Query: {
        me: () => me,
        animals: () => [
          { __typename: 'Dog', name: 'Rex', noise: 'wuff' },
          { __typename: 'Cat', name: 'Tom', noise: 'miau' },
        ],
      },
      User: { __resolveReference: () => me },
    },
  },
  two: {
    sdl: `${link}
type Query { two: String }
type User @key(fields: "email") {
  email: String!
  ssn: String @external
  risk: Int @requires(fields: "ssn") @requiresScopes(scopes: [["pii"]])
  both: String @shareable @requiresScopes(scopes: [["two"]])
  plain: String
}`,
    resolvers: { User: { risk: () => 1, plain: () => 'plain' } },
  },
}

const me = { id: '1', email: 'ada@example.com', ssn: 'ssn-1', both: 'both' }

describe('a supergraph that was composed elsewhere', () => {
  let subgraphs: RecordingSubgraph[]
  let composed: string

  before(async () => {
    subgraphs = await Promise.all(
      Object.entries(sources).map(([name, source]) => startRecording(name, source)),
    )
    composed = (await composeSupergraph(subgraphs)).supergraphSdl
  })
  after(() => Promise.all(subgraphs.map((one) => one.close())))

  /** The supergraph with texts replaced, each of which must be there. */
  const edited = (...edits: readonly (readonly [from: string, to: string])[]): string =>
    edits.reduce((text, [from, to]) => {
      assert.ok(text.includes(from), `the supergraph has no ${from}:\n${text}`)
      return text.replaceAll(from, to)
    }, composed)

  const ask = async (
    supergraph: string,
    query: string,
    options: { as?: Principal; log?: Logger; policies?: GraphqlOptions['authorization']['policies'] } = {},
  ): Promise<Answer> => {
    for (const { heard } of subgraphs) heard.length = 0
    const { as, log = silentLog, policies = new Map() } = options
    const door = await openDoor(
      await frontEndTo(subgraphs, { supergraph, log, authorization: { policies } }),
      {
        onRequest: [
          (x) => {
            x.principal = as
          },
        ],
      },
    )
    try {
      return await door.query(query)
    } finally {
      await door.close()
    }
  }

  const reasons = ({ errors }: Answer): string[] =>
    errors.map(({ path = [], extensions }) => `${path.join('.')} ${extensions.reason}`)

  it('enforces a directive that was imported under another name (CVE-2025-64347)', async () => {
    const renamed = edited(
      [
        '@link(url: "https://specs.apollo.dev/authenticated/v0.1", for: SECURITY)',
        '@link(url: "https://specs.apollo.dev/authenticated/v0.1", for: SECURITY, import: [{name: "@authenticated", as: "@login"}])',
      ],
      ['@authenticated', '@login'],
      ['name: "@login", as: "@login"', 'name: "@authenticated", as: "@login"'],
      [
        '@link(url: "https://specs.apollo.dev/requiresScopes/v0.1", for: SECURITY)',
        '@link(url: "https://specs.apollo.dev/requiresScopes/v0.1", as: "needs", for: SECURITY)',
      ],
      ['@requiresScopes', '@needs'],
      ['requiresScopes__Scope', 'needs__Scope'],
    )
    const answer = await ask(renamed, '{ me { email ssn } }')
    assert.deepEqual(reasons(answer), ['me.email NO_CREDENTIALS'])
    assert.equal(answer.data.me, null)
    assert.deepEqual(reasons(await ask(renamed, '{ me { email ssn } }', { as: caller() })), [
      'me.ssn SCOPE_MISSING',
    ])
  })

  it('does not take another directive for one of ours', async () => {
    const other = edited(['@link(url: "https://specs.apollo.dev/authenticated/v0.1", for: SECURITY)', ''])
    assert.deepEqual(reasons(await ask(other, '{ me { email } }')), [])
  })

  for (const [what, url] of [
    ['another version of a feature', 'https://specs.apollo.dev/authenticated/v0.2'],
    ['a feature that it does not know', 'https://specs.apollo.dev/consent/v0.1'],
    ['a feature of somebody else', 'https://example.com/authenticated/v0.1'],
  ] as const) {
    it(`does not load with ${what} for SECURITY`, async () => {
      const supergraph = edited(['https://specs.apollo.dev/authenticated/v0.1', url])
      await assert.rejects(ask(supergraph, '{ me { email } }'), /SECURITY|feature/)
    })
  }

  it('asks of a field what the fields ask that it is computed from (CVE-2025-64173)', async () => {
    const open = edited(['requires: "ssn") @requiresScopes(scopes: [["pii"]])', 'requires: "ssn")'])
    const answer = await ask(open, '{ me { risk plain } }', { as: caller() })
    assert.deepEqual(answer.data, { me: { risk: null, plain: 'plain' } })
    assert.deepEqual(reasons(answer), ['me.risk SCOPE_MISSING'])
    for (const { heard } of subgraphs) for (const body of heard) assert.doesNotMatch(body, /ssn|risk/)
  })

  it('asks of the field of an interface what its types ask, though the interface does not say so', async () => {
    const open = edited(['noise: String @policy(policies: [["loud"]])\n}\n\n', 'noise: String\n}\n\n'])
    const [, dog] = /type Dog[^}]*(@policy)/.exec(composed) ?? []
    assert.equal(dog, '@policy')
    const protectedDog = open.replace(
      /(type Dog[^}]*noise: String)(?! @policy)/,
      '$1 @policy(policies: [["loud"]])',
    )
    assert.doesNotMatch(protectedDog, /interface Animal[^}]*@policy/)
    const answer = await ask(protectedDog, '{ animals { name noise ... on Cat { noise } } }', {
      as: caller(),
    })
    assert.deepEqual(reasons(answer), ['animals.0.noise POLICY_REFUSED'])
    assert.deepEqual(answer.data.animals[1], { name: 'Tom', noise: 'miau' })
  })

  it('asks of types what was written on their interface by hand (CVE-2025-64530)', async () => {
    const byHand = edited([
      'interface Animal\n  @join__type(graph: ONE)\n{\n  name: String',
      'interface Animal\n  @join__type(graph: ONE)\n{\n  name: String @requiresScopes(scopes: [["names"]])',
    ])
    const query = '{ animals { ... on Cat { name noise } ... on Dog { name } } }'
    const answer = await ask(byHand, query, { as: caller() })
    assert.deepEqual(answer.data, { animals: [{ name: null }, { name: null, noise: 'miau' }] })
    assert.deepEqual(reasons(await ask(byHand, query, { as: caller('names') })), [])
  })

  it('asks for what each of two subgraphs asks', async () => {
    for (const [scopes, allowed] of [
      [['one'], false],
      [['two'], false],
      [['one', 'two'], true],
    ] as const) {
      const { data } = await ask(composed, '{ me { both } }', { as: caller(...scopes) })
      assert.deepEqual(data, { me: { both: allowed ? 'both' : null } })
    }
  })

  it('joins subgraphs by a protected key, and never shows it', async () => {
    const answer = await ask(composed, '{ me { plain } }')
    assert.deepEqual(answer.errors, [])
    assert.deepEqual(answer.data, { me: { plain: 'plain' } })
  })

  it('says at the start what is not as somebody may think', async () => {
    const warnings: unknown[] = []
    const log = { ...silentLog, warn: (fields: object) => warnings.push(fields) } as unknown as Logger
    await ask(composed, '{ me { id } }', { log, policies: new Map([['quiet', () => true]]) })
    assert.deepEqual(warnings, [{ policies: ['loud'] }, { policies: ['quiet'] }, { fields: ['User.email'] }])
  })

  it('refuses a directive whose argument is no list of names', async () => {
    const supergraph = edited(['scopes: [["pii"]]', 'scopes: [[1]]'])
    await assert.rejects(
      ask(supergraph, '{ me { id } }'),
      /line \d+, column \d+ of the supergraph: @requiresScopes|Scope/,
    )
  })
})
