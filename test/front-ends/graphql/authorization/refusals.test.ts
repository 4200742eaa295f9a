import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { GatewayError } from '../../../../src/core/error.ts'
import type { Principal } from '../../../../src/core/principal.ts'
import { chargeOperation } from '../../../../src/core/request-cost.ts'
import type { GraphqlOptions } from '../../../../src/front-ends/graphql/front-end.ts'
import { type Answer, answerOf, type Door, openDoor } from '../harness.ts'
import { caller, frontEndTo, type RecordingSubgraph, startRecording } from './recording.ts'
import { shop } from './shop.ts'

const challenge: GraphqlOptions['authorization']['challenge'] = (reason, { scopes }) => [
  'WWW-Authenticate',
  `Bearer ${reason} ${scopes.join(' ')}`,
]

describe('what is answered where fields are refused', () => {
  let subgraphs: RecordingSubgraph[]
  let filtering: Door
  let refusing: Door
  let principal: Principal | undefined
  const charged: unknown[] = []

  before(async () => {
    subgraphs = await Promise.all(
      Object.entries(shop).map(([name, subgraph]) => startRecording(name, subgraph)),
    )
    const open = async (authorization: Partial<GraphqlOptions['authorization']>): Promise<Door> =>
      openDoor(await frontEndTo(subgraphs, { authorization: { challenge, ...authorization } }), {
        onRequest: [
          (x) => {
            x.principal = principal
            x.set(chargeOperation, (operation) => {
              charged.push(operation)
            })
          },
        ],
      })
    filtering = await open({})
    refusing = await open({ onRefused: 'refuse' })
  })
  after(() => Promise.all([filtering.close(), refusing.close(), ...subgraphs.map((one) => one.close())]))
  beforeEach(() => {
    for (const { heard } of subgraphs) heard.length = 0
    charged.length = 0
    principal = undefined
  })

  const nothingHeard = (): void =>
    assert.deepEqual(
      subgraphs.flatMap(({ heard }) => heard),
      [],
    )

  const ask = async (
    door: Door,
    query: string,
    more: { accept?: string; variables?: object } = {},
  ): Promise<Answer & { type: string | null }> => {
    const response = await door.fetch({
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: more.accept ?? 'application/json' },
      body: JSON.stringify({ query, variables: more.variables }),
    })
    return { ...(await answerOf(response)), type: response.headers.get('content-type') }
  }

  for (const accept of ['application/json', 'application/graphql-response+json']) {
    it(`refuses a whole operation with status 401 and a challenge, in ${accept}`, async () => {
      const answer = await ask(refusing, '{ open me { name ssn email } }', { accept })
      assert.equal(answer.status, 401)
      assert.equal(answer.type, `${accept}; charset=utf-8`)
      assert.equal(answer.data, undefined)
      assert.equal(answer.headers.get('www-authenticate'), 'Bearer NO_CREDENTIALS pii')
      const [error] = answer.errors
      assert.equal(answer.errors.length, 1)
      assert.equal(error?.extensions.code, 'UNAUTHENTICATED')
      assert.equal(error?.extensions.reason, 'NO_CREDENTIALS')
      assert.deepEqual(
        (error?.extensions.violations as { field: string }[] | undefined)?.map(({ field }) => field),
        ['me.ssn', 'me.email'],
      )
      nothingHeard()
      assert.deepEqual(charged, [])
    })

    it(`refuses a whole operation with status 403 to a caller who is known, in ${accept}`, async () => {
      principal = caller('other')
      const answer = await ask(refusing, '{ either me { ssn } }', { accept })
      assert.equal(answer.status, 403)
      assert.equal(answer.headers.get('www-authenticate'), 'Bearer SCOPE_MISSING a b')
      assert.deepEqual(answer.errors[0]?.extensions.code, 'FORBIDDEN')
      assert.deepEqual(answer.errors[0]?.extensions.reason, 'SCOPE_MISSING')
      nothingHeard()
    })

    it(`answers what is left of a filtered operation with a status of success, in ${accept}`, async () => {
      const answer = await ask(filtering, '{ me { name ssn } }', { accept })
      assert.equal(answer.status, accept === 'application/json' ? 200 : 294)
      assert.equal(answer.type, `${accept}; charset=utf-8`)
      assert.deepEqual(answer.errors[0]?.extensions.code, 'UNAUTHENTICATED')
      assert.equal(typeof answer.errors[0]?.extensions.requestId, 'string')
    })
  }

  it('does not refuse an operation for a field that is left out by @include', async () => {
    const query = 'query($with: Boolean!) { me { name ssn @include(if: $with) } }'
    const { data, errors } = await ask(refusing, query, { variables: { with: false } })
    assert.deepEqual(errors, [])
    assert.deepEqual(data, { me: { name: 'Ada' } })
    for (const { heard } of subgraphs) for (const body of heard) assert.doesNotMatch(body, /ssn/)
    assert.equal((await ask(refusing, query, { variables: { with: true } })).status, 401)
  })

  it('says what is wrong with a variable that decides whether a field is refused', async () => {
    const query = 'query($with: Boolean!) { me { name ssn @include(if: $with) } }'
    for (const door of [filtering, refusing]) {
      const { data, errors } = await ask(door, query, { variables: { with: 'yes' } })
      assert.equal(data, undefined)
      assert.equal(errors[0]?.extensions.code, 'BAD_USER_INPUT')
    }
    nothingHeard()
  })

  for (const [name, mutation] of [
    ['its field is refused', 'mutation { erase }'],
    ['another field is refused', 'mutation { rename(name: "x") { name } erase }'],
    ['something of its answer is refused', 'mutation { rename(name: "x") { name ssn } }'],
    [
      'something of its answer is refused in a fragment',
      'mutation { rename(name: "x") { ...A } } fragment A on User { ssn }',
    ],
  ] as const) {
    it(`runs nothing of a mutation when ${name}`, async () => {
      principal = caller()
      const answer = await ask(filtering, mutation)
      assert.equal(answer.status, 403)
      assert.equal(answer.data, undefined)
      assert.equal(answer.errors[0]?.extensions.reason, 'SCOPE_MISSING')
      nothingHeard()
    })
  }

  it('runs a mutation that is refused nothing', async () => {
    const { data, errors } = await ask(filtering, 'mutation { rename(name: "x") { name } }')
    assert.deepEqual(errors, [])
    assert.deepEqual(data, { rename: { name: 'Ada' } })
  })

  it('charges an operation once, before it runs, with its name and its cost', async () => {
    await ask(filtering, 'query Names { users { name friends { name ssn } } }')
    assert.deepEqual(charged, [{ name: 'Names', cost: 10 * (1 + 10) }])
  })

  it('runs nothing that cannot be charged, and says so with the status and headers of the refusal', async () => {
    const door = await openDoor(await frontEndTo(subgraphs), {
      onRequest: [
        (x) => {
          x.set(chargeOperation, async () => {
            throw new GatewayError('RATE_LIMITED', 'Used up.', { retryAfterMs: 7_000 })
          })
          x.replyHeaders.push('RateLimit', '"cost";r=0;t=7')
        },
      ],
    })
    for (const accept of ['application/json', 'application/graphql-response+json']) {
      const answer = await ask(door, '{ open }', { accept })
      assert.equal(answer.status, 429)
      assert.equal(answer.type, `${accept}; charset=utf-8`)
      assert.equal(answer.headers.get('retry-after'), '7')
      assert.equal(answer.headers.get('ratelimit'), '"cost";r=0;t=7')
      assert.equal(answer.errors[0]?.extensions.reason, 'RATE_LIMITED')
      assert.equal(answer.errors[0]?.extensions.retryAfter, 7)
    }
    await door.close()
    nothingHeard()
  })

  it('tells a long list of refused places only in part', async () => {
    const answer = await ask(
      filtering,
      `{ ${many(20, (i) => `a${i}: users { ssn level friends { ssn } }`)} }`,
    )
    assert.ok(answer.errors.length >= 100 && answer.errors.length <= 140, String(answer.errors.length))
    const named = new Set(answer.errors.map(({ path = [] }) => path[0]))
    assert.equal(named.size, 20)
    for (const users of Object.values(answer.data) as { ssn: unknown; friends: { ssn: unknown }[] }[][])
      for (const { ssn, friends } of users) assert.deepEqual([ssn, friends[0]?.ssn], [null, null])
  })

  for (const [errors, expected] of [
    ['extensions', ['me.ssn']],
    ['none', undefined],
  ] as const) {
    it(`names what is refused in ${errors} where that is asked for`, async () => {
      const door = await openDoor(await frontEndTo(subgraphs, { authorization: { errors } }))
      const response = await door.fetch({
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"query":"{ me { name ssn } }"}',
      })
      const body = (await response.json()) as {
        data: unknown
        errors?: unknown
        extensions?: { authorizationErrors: { path: string[] }[] }
      }
      await door.close()
      assert.deepEqual(body.data, { me: { name: 'Ada', ssn: null } })
      assert.equal(body.errors, undefined)
      assert.deepEqual(
        body.extensions?.authorizationErrors.map(({ path }) => path.join('.')),
        expected,
      )
    })
  }

  it('tells of subgraphs that fail beside what is refused, and never of the key of types', async () => {
    const gone = subgraphs.map((one) => ({ ...one, url: 'http://127.0.0.1:1' }))
    const door = await openDoor(await frontEndTo(gone))
    const { data, errors } = await door.query('{ me { ssn } things { ... on Vault { code } } either }')
    await door.close()
    assert.equal(data, null)
    assert.deepEqual(
      errors.map(({ path = [], extensions }) => `${path.join('.')} ${extensions.reason}`).sort(),
      ['me UPSTREAM_REFUSED', 'things UPSTREAM_REFUSED'],
    )
  })

  it('only notes what it would refuse where that is asked for', async () => {
    const door = await openDoor(await frontEndTo(subgraphs, { authorization: { reportOnly: true } }))
    const { data, errors } = await door.query('{ me { ssn email } }')
    const mutation = await door.query('mutation { erase }')
    await door.close()
    assert.deepEqual(errors, [])
    assert.deepEqual(data, { me: { ssn: 'ssn-1', email: '1@example.com' } })
    assert.deepEqual(mutation.data, { erase: true })
    assert.deepEqual(
      door.exchanges.map(({ attributes }) => attributes['graphql.refused_fields']),
      ['User.ssn,User.email', 'Mutation.erase'],
    )
  })

  it('shows protected fields in the schema, which protects no data', async () => {
    const { data } = await filtering.query('{ __type(name: "User") { fields { name } } open me { ssn } }')
    assert.ok(data.__type.fields.some(({ name }: { name: string }) => name === 'ssn'))
    assert.equal(data.open, 'open')
    assert.equal(data.me.ssn, null)
  })

  it('lets nothing of the client’s extensions come to a subgraph', async () => {
    principal = caller()
    const extensions = {
      'x-user-id': 'forged-user',
      headers: { authorization: 'Bearer forged-token' },
      code: 'forged-code',
      jwt: 'forged-jwt',
      principal: { id: 'forged-id', scopes: ['pii'] },
      __proto__x: 'forged',
    }
    const query = 'query($x: String!) { userByPin(pin: $x) { name ssn reviews { body } } }'
    const variables = { x: '1', representations: 'forged-variable', principal: 'forged-variable' }
    const { data } = await filtering.query(query, { variables, extensions })
    assert.deepEqual(data, { userByPin: { name: 'Ada', ssn: null, reviews: [{ body: 'of 1' }] } })
    const search = `?${new URLSearchParams({ query: '{ me { name } }', extensions: JSON.stringify(extensions) })}`
    const get = await filtering.fetch({ search, headers: { 'apollo-require-preflight': '1' } })
    assert.equal(get.status, 200)
    const heard = subgraphs.flatMap((one) => one.heard)
    assert.equal(heard.length, 3)
    for (const body of heard) {
      assert.doesNotMatch(body, /forged|extensions/)
      assert.deepEqual(
        Object.keys(JSON.parse(body)).filter((key) => !['query', 'variables', 'operationName'].includes(key)),
        [],
      )
    }
  })
})

function many(count: number, item: (i: number) => string): string {
  return Array.from({ length: count }, (_, i) => item(i)).join(' ')
}
