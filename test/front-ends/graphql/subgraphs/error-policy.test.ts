import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Subgraph } from '../subgraphs.ts'
import { openShop } from './shop-gateway.ts'

const json = { 'content-type': 'application/json' }

/** Answers with errors instead of data. */
function failing(errors: object[], status = 200, type = 'application/json'): Subgraph['instead'] {
  return (_, res) =>
    void res.writeHead(status, { 'content-type': type }).end(JSON.stringify({ data: { me: null }, errors }))
}

const coded = {
  message: 'Only admins may see this.',
  path: ['me'],
  extensions: {
    code: 'FORBIDDEN',
    hint: 'ask Ada',
    tenant: 'acme',
    stacktrace: ['at db.ts:7'],
    http: { status: 418 },
  },
}
const plain = { message: 'connect ECONNREFUSED db-7:5432', path: ['me'], extensions: { sql: 'SELECT 1' } }
const internal = { message: 'oops', extensions: { code: 'INTERNAL_SERVER_ERROR', hint: 'x' } }

describe('errors of subgraphs', () => {
  const usual = { number: 'F50200', reason: 'SUBGRAPH_ERROR' }
  const cases: {
    name: string
    all?: object
    own?: object
    reported: object
    message: string
    extensions: object
  }[] = [
    {
      name: 'pass when they have a code, without what is for developers',
      reported: coded,
      message: coded.message,
      extensions: { ...usual, code: 'FORBIDDEN', hint: 'ask Ada', tenant: 'acme' },
    },
    {
      name: 'are masked when they have none',
      reported: plain,
      message: 'The subgraph failed.',
      extensions: { ...usual, code: 'INTERNAL_SERVER_ERROR' },
    },
    {
      name: 'are masked when their code says internal',
      reported: internal,
      message: 'The subgraph failed.',
      extensions: { ...usual, code: 'INTERNAL_SERVER_ERROR' },
    },
    {
      name: 'all pass where all are to, and stacks stay here nevertheless',
      all: { messages: 'all' },
      reported: { ...plain, extensions: { sql: 'x', stack_trace: 'at db.ts:7' } },
      message: plain.message,
      extensions: { ...usual, code: 'INTERNAL_SERVER_ERROR', sql: 'x' },
    },
    {
      name: 'are all masked where none is to pass',
      all: { messages: 'none', maskedMessage: 'Something is wrong.' },
      reported: coded,
      message: 'Something is wrong.',
      extensions: { ...usual, code: 'INTERNAL_SERVER_ERROR' },
    },
    {
      name: 'keep only the extensions that are kept',
      all: { keepExtensions: ['hint', 'stacktrace'] },
      reported: coded,
      message: coded.message,
      extensions: { ...usual, code: 'FORBIDDEN', hint: 'ask Ada' },
    },
    {
      name: 'lose the extensions that are hidden',
      all: { hideExtensions: ['Tenant'] },
      reported: coded,
      message: coded.message,
      extensions: { ...usual, code: 'FORBIDDEN', hint: 'ask Ada' },
    },
    {
      name: 'are treated as the subgraph says rather than all',
      all: { messages: 'none', hideExtensions: ['tenant'] },
      own: { messages: 'coded', keepExtensions: ['tenant'] },
      reported: coded,
      message: coded.message,
      extensions: { ...usual, code: 'FORBIDDEN', tenant: 'acme' },
    },
  ]
  for (const { name, all = {}, own = {}, reported, message, extensions } of cases) {
    it(name, async (t) => {
      const shop = await openShop(t, { errors: all }, { of: { accounts: { errors: own } } })
      shop.accounts.instead = failing([reported])
      const { errors } = await shop.ask('{ me { name } }')
      const { requestId, traceId, serviceName, ...rest } = errors[0]?.extensions ?? {}
      assert.ok(requestId && traceId)
      assert.equal(serviceName, 'accounts')
      assert.equal(errors[0]?.message, message)
      assert.deepEqual(rest, extensions)
    })
  }

  it('have the status of an answer that was no success, where it is to be seen', async (t) => {
    const shop = await openShop(t, { errors: { showStatus: true } })
    const statuses: [instead: Subgraph['instead'], status: number | undefined][] = [
      [failing([coded], 403, 'application/graphql-response+json'), 403],
      [(_, res) => void res.writeHead(401, json).end('{}'), 401],
      [(_, res) => void res.writeHead(503, json).end('busy'), 503],
      [(_, res) => void res.writeHead(200, json).end('garbage'), undefined],
      [failing([coded]), undefined],
    ]
    for (const [instead, status] of statuses) {
      shop.accounts.instead = instead
      const { errors } = await shop.ask('{ me { name } }')
      assert.equal(errors[0]?.extensions.subgraphStatus, status)
    }
  })

  it('do not name the subgraph where its name is not to be seen', async (t) => {
    const shop = await openShop(t, { errors: { showSubgraph: false } })
    const entities = '{"data":{"_entities":[]}}'
    const answers: Subgraph['instead'][] = [
      failing([coded]),
      (_, res) => void res.writeHead(503).end(),
      (_, res) => void res.destroy(),
      (_, res) => void res.writeHead(200, json).end(entities),
    ]
    for (const instead of answers) {
      shop.reviews.instead = instead
      const { errors } = await shop.ask('{ me { name reviews { body } } }')
      assert.equal(errors.length, 1)
      assert.doesNotMatch(
        JSON.stringify(errors).replace('"path":["me","reviews"]', ''),
        /reviews|serviceName/,
      )
    }
  })

  it('have no status by default', async (t) => {
    const shop = await openShop(t)
    shop.accounts.instead = (_, res) => void res.writeHead(503, json).end('busy')
    const { errors } = await shop.ask('{ me { name } }')
    assert.equal(errors.length, 1)
    assert.equal('subgraphStatus' in (errors[0]?.extensions ?? {}), false)
  })

  it('refuse a list of what is hidden beside one of what is kept', async (t) => {
    await assert.rejects(
      openShop(t, { errors: { keepExtensions: ['a'], hideExtensions: ['b'] } }),
      /graphql\.errors\.hideExtensions: hides nothing where keepExtensions says what is kept/,
    )
  })
})
