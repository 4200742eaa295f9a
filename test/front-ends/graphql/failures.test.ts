import assert from 'node:assert/strict'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { Logger } from '../../../src/core/log.ts'
import { type Door, frontEndOver, openDoor } from './harness.ts'
import { type Subgraph, startSubgraph } from './subgraphs.ts'

describe('GraphQL when subgraphs fail', () => {
  let accounts: Subgraph
  let products: Subgraph
  let reviews: Subgraph
  let door: Door
  let logged: object[]

  const open = async (options: { timeoutMs?: number; attempts?: number } = {}): Promise<void> => {
    const note = (fields: object): void => void logged.push(fields)
    const log: Logger = { debug: () => {}, info: note, warn: note, error: note }
    door = await openDoor(await frontEndOver([accounts, products, reviews], { log, ...options }))
  }
  beforeEach(async () => {
    logged = []
    accounts = await startSubgraph('accounts')
    products = await startSubgraph('products')
    reviews = await startSubgraph('reviews')
  })
  afterEach(() => Promise.all([door.close(), accounts.close(), products.close(), reviews.close()]))

  it('gives the rest of the data when one subgraph is down, with the error at the field', async () => {
    await open()
    await reviews.close()
    const { status, data, errors } = await door.query('{ me { name reviews { body } } cheapest { title } }')
    assert.equal(status, 200)
    assert.deepEqual(data, { me: { name: 'Ada', reviews: null }, cheapest: { title: 'Lamp' } })
    assert.equal(errors.length, 1)
    assert.deepEqual(errors[0]?.path, ['me', 'reviews'])
    const { requestId, traceId, ...extensions } = errors[0]?.extensions ?? {}
    assert.deepEqual(extensions, {
      code: 'SERVICE_UNAVAILABLE',
      reason: 'UPSTREAM_REFUSED',
      number: 'F50201',
      serviceName: 'reviews',
    })
    assert.deepEqual([requestId, traceId], [door.exchanges[0]?.id, door.exchanges[0]?.trace.traceId])
    assert.equal(door.exchanges[0]?.error, undefined)
    assert.equal(
      door.exchanges[0]?.calls.find((call) => call.upstreamName === 'reviews')?.error?.reason,
      'UPSTREAM_REFUSED',
    )
  })

  it('reports a failed fetch below a list once, at the list', async () => {
    await open()
    await reviews.close()
    const { data, errors } = await door.query('{ products { title reviews { body } } }')
    assert.deepEqual(data.products[1], { title: 'Desk', reviews: null })
    assert.deepEqual(
      errors.map(({ path }) => path),
      [['products']],
    )
    assert.equal(errors[0]?.extensions.serviceName, 'reviews')
  })

  it('notes on the exchange when the whole operation failed', async () => {
    await open()
    await accounts.close()
    const { data, errors } = await door.query('{ me { name } again: me { id } }')
    assert.deepEqual(data, { me: null, again: null })
    assert.deepEqual(
      errors.map(({ path }) => path),
      [['me'], ['again']],
    )
    assert.equal(door.exchanges[0]?.error?.reason, 'UPSTREAM_REFUSED')
  })

  const unreadable: [name: string, answer: (subgraph: Subgraph) => Subgraph['instead']][] = [
    [
      'status 500 with JSON',
      () => (_, res) =>
        res.writeHead(500, { 'content-type': 'application/json' }).end('{"data":{"me":{"id":"9"}}}'),
    ],
    ['status 503', () => (_, res) => res.writeHead(503).end('secret host db-7')],
    ['HTML', () => (_, res) => res.writeHead(200, { 'content-type': 'text/html' }).end('<h1>secret</h1>')],
    ['no JSON', () => (_, res) => res.writeHead(200, { 'content-type': 'application/json' }).end('{"data":')],
    [
      'bytes that are no UTF-8',
      () => (_, res) =>
        res
          .writeHead(200, { 'content-type': 'application/json' })
          .end(Buffer.from('{"data":{"me":{"id":"\xff"}}}', 'latin1')),
    ],
    ['nothing at all', () => (_, res) => res.writeHead(200, { 'content-type': 'application/json' }).end()],
    ['a list', () => (_, res) => res.writeHead(200, { 'content-type': 'application/json' }).end('[]')],
    [
      'data that is no object',
      () => (_, res) => res.writeHead(200, { 'content-type': 'application/json' }).end('{"data":7}'),
    ],
    [
      'neither data nor errors',
      () => (_, res) => res.writeHead(200, { 'content-type': 'application/json' }).end('{}'),
    ],
    [
      'a redirect',
      () => (_, res) =>
        res.writeHead(302, { location: 'http://127.0.0.1:1/', 'content-type': 'application/json' }).end('{}'),
    ],
  ]
  for (const [name, instead] of unreadable) {
    it(`says UPSTREAM_BAD_ANSWER and nothing of the answer: ${name}`, async () => {
      await open()
      accounts.instead = instead(accounts)
      const { data, errors } = await door.query('{ me { id } }')
      assert.deepEqual(data, { me: null })
      assert.equal(errors[0]?.extensions.reason, 'UPSTREAM_BAD_ANSWER')
      assert.equal(errors[0]?.message, 'Upstream "accounts" answered with something unreadable.')
    })
  }

  it('says UPSTREAM_TOO_LARGE of an answer above 16 MiB', async () => {
    await open()
    accounts.instead = (_, res) =>
      res
        .writeHead(200, { 'content-type': 'application/json' })
        .end(`{"data":{"me":{"id":"${'x'.repeat(17_000_000)}"}}}`)
    assert.equal((await door.query('{ me { id } }')).errors[0]?.extensions.reason, 'UPSTREAM_TOO_LARGE')
  })

  it('says UPSTREAM_RESET when a subgraph cuts its answer off', async () => {
    await open()
    accounts.instead = (_, res) => {
      res.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
      res.write('{"data"', () => res.destroy())
    }
    assert.equal((await door.query('{ me { id } }')).errors[0]?.extensions.reason, 'UPSTREAM_RESET')
  })

  const slow: [name: string, instead: Subgraph['instead']][] = [
    ['is silent', () => {}],
    [
      'stops in the middle',
      (_, res) => void res.writeHead(200, { 'content-type': 'application/json' }).write('{"data"'),
    ],
    [
      'trickles',
      (_, res) => {
        res.writeHead(200, { 'content-type': 'application/json' })
        const timer = setInterval(() => res.write(' '), 20)
        res.on('close', () => clearInterval(timer))
      },
    ],
  ]
  for (const [name, instead] of slow) {
    it(`gives up at the upstream's time limit when a subgraph ${name}`, async () => {
      await open({ timeoutMs: 250 })
      accounts.instead = instead
      const startedAt = performance.now()
      const { errors, data } = await door.query('{ me { id } cheapest { upc } }')
      const tookMs = performance.now() - startedAt
      assert.ok(tookMs > 240 && tookMs < 4_000, `took ${tookMs} ms`)
      assert.deepEqual(data, { me: null, cheapest: { upc: 'a' } })
      assert.deepEqual(
        [errors[0]?.extensions.code, errors[0]?.extensions.reason],
        ['TIMEOUT', 'UPSTREAM_TIMEOUT'],
      )
    })
  }

  it('tries a query again after a bad answer, and a mutation not', async () => {
    await open({ attempts: 2 })
    let asked = 0
    accounts.instead = (_, res) => {
      asked++
      res.writeHead(503).end()
    }
    await door.query('{ me { id } }')
    assert.equal(asked, 2)
    await door.query('mutation { rename(name: "x") { id } }')
    assert.equal(asked, 3)
  })

  it('lets a subgraph go as soon as the client has gone', async () => {
    await open()
    const abandoned = new Promise<void>((resolve) => {
      accounts.instead = (_, res) => void res.on('close', resolve)
    })
    const controller = new AbortController()
    accounts.before = async () => controller.abort()
    const body = '{"query":"{ me { id } }"}'
    const init = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      signal: controller.signal,
    }
    await assert.rejects(door.fetch(init))
    await abandoned
    const [x] = door.exchanges
    if (x !== undefined && !x.res.closed) await once(x.res, 'close')
    assert.equal(x?.status, 499)
  })

  it('masks what a subgraph says without a code and what it calls internal, and logs it', async () => {
    await open()
    const { data, errors } = await door.query('{ private broken me { id } }')
    assert.deepEqual(data, { private: null, broken: null, me: { id: '1' } })
    for (const { message, extensions } of errors) {
      assert.equal(message, 'The subgraph failed.')
      const { requestId, traceId, ...rest } = extensions
      assert.ok(requestId && traceId)
      assert.deepEqual(rest, {
        code: 'INTERNAL_SERVER_ERROR',
        reason: 'SUBGRAPH_ERROR',
        number: 'F50200',
        serviceName: 'accounts',
      })
    }
    assert.deepEqual(
      errors.map(({ path }) => path),
      [['private'], ['broken']],
    )
    assert.match(JSON.stringify(logged), /hunter2/)
    assert.match(JSON.stringify(logged), new RegExp(String(door.exchanges[0]?.id)))
  })

  it('passes an error that a subgraph wrote for clients, without its stack and without its HTTP status', async () => {
    await open()
    const { status, errors } = await door.query('{ locked }')
    assert.equal(status, 200)
    const { requestId, traceId, ...extensions } = errors[0]?.extensions ?? {}
    assert.ok(requestId && traceId)
    assert.equal(errors[0]?.message, 'Only admins may see this.')
    assert.deepEqual(errors[0]?.path, ['locked'])
    assert.deepEqual(extensions, {
      hint: 'ask Ada',
      code: 'FORBIDDEN',
      reason: 'SUBGRAPH_ERROR',
      number: 'F50200',
      serviceName: 'accounts',
    })
  })

  const wrong: [name: string, data: string][] = [
    ['fewer entities than asked for', '{"_entities":[]}'],
    ['entities that are no list', '{"_entities":{}}'],
  ]
  for (const [name, data] of wrong) {
    it(`refuses ${name}`, async () => {
      await open()
      reviews.instead = (_, res) =>
        res.writeHead(200, { 'content-type': 'application/json' }).end(`{"data":${data}}`)
      const answer = await door.query('{ me { id reviews { body } } }')
      assert.deepEqual(answer.data, { me: { id: '1', reviews: null } })
      assert.equal(answer.errors[0]?.extensions.reason, 'UPSTREAM_BAD_ANSWER')
    })
  }

  it('says nothing of its inside when an answer is not what the schema says', async () => {
    await open()
    products.instead = (_, res) =>
      res.writeHead(200, { 'content-type': 'application/json' }).end('{"data":{"products":{"upc":"a"}}}')
    const { data, errors } = await door.query('{ products { reviews { body } } }')
    assert.deepEqual(data, { products: null })
    assert.deepEqual(errors[0]?.path, ['products'])
    assert.equal(errors[0]?.extensions.code, 'INTERNAL_SERVER_ERROR')
    assert.equal(errors[0]?.message, 'What a subgraph answered for the field Query.products is no list.')
    assert.doesNotMatch(JSON.stringify(errors), /node_modules|TypeError|flatMap/)
  })
})
