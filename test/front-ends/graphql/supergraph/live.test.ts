import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, type TestContext, test } from 'node:test'
import type { Config } from '../../../../src/config/schema.ts'
import { startGateway, type TestGateway } from '../../../world.ts'
import { type ChangingSubgraph, changingSubgraph, link } from './changing-subgraph.ts'

const users = `${link}type Query { me: User } type User @key(fields: "id") { id: ID! name: String }`
const me = { me: { __typename: 'User', id: '1', name: 'Ada' } }
const goods = `${link}type Query { best: Product } type Product @key(fields: "upc") { upc: ID! price: Int }`
const best = { best: { __typename: 'Product', upc: 'a', price: 7 } }

/** In the words of gateway.yaml. */
function configOf(
  subgraphs: Readonly<Record<string, ChangingSubgraph>>,
  { live = {}, more = {} }: { live?: object; more?: object } = {},
): object {
  const names = Object.keys(subgraphs)
  // What decides a test is said by the test.
  const timeouts = { connect: '30s', request: '30s' }
  return {
    upstreams: Object.fromEntries(
      names.map((name) => [
        name,
        { targets: [{ url: subgraphs[name]?.url }], retry: { attempts: 1 }, timeouts },
      ]),
    ),
    graphql: {
      auth: 'none',
      introspection: true,
      subgraphs: Object.fromEntries(
        names.map((name) => [name, { upstream: name, live: { interval: '100ms', timeout: '30s', ...live } }]),
      ),
      ...(more as Config['graphql']),
    },
    routes: [{ id: 'up', path: '/up', auth: 'none', respond: { status: 204 } }],
  }
}

interface Answer {
  readonly status: number
  readonly data?: Record<string, unknown> | null
  readonly errors?: { message: string; extensions: Record<string, unknown> }[]
}

async function ask(gateway: TestGateway, query: string): Promise<Answer> {
  const answer = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
    body: JSON.stringify({ query }),
  })
  return { status: answer.status, ...((await answer.json()) as object) }
}

async function supergraphCheck(gateway: TestGateway): Promise<string> {
  const { checks } = (await (await fetch(`${gateway.url}/readyz?verbose`)).json()) as {
    checks: { name: string; detail: string }[]
  }
  return checks.find(({ name }) => name === 'supergraph')?.detail ?? 'no check'
}

async function metric(gateway: TestGateway, name: string): Promise<string | undefined> {
  const text = await gateway.gateway.metrics.metrics()
  return new RegExp(`^${name.replace(/[{}"]/g, '\\$&')} (.*)$`, 'm').exec(text)?.[1]
}

/** One that has its first supergraph. */
async function startLoaded(t: TestContext, config: object): Promise<TestGateway> {
  const gateway = await startGateway(t, config)
  await gateway.logged(({ message }) => message === 'supergraph loaded')
  return gateway
}

/** Asks until the answer is as it should be; how long that takes decides nothing. */
async function until<T>(look: () => Promise<T>, good: (value: T) => boolean): Promise<T> {
  for (let turn = 0; ; turn++) {
    const value = await look()
    if (good(value)) return value
    if (turn > 600) assert.fail(`it never came: ${JSON.stringify(value)}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const applied = (line: Record<string, unknown>): boolean => line.message === 'supergraph applied'
const refused = (line: Record<string, unknown>): boolean =>
  String(line.message).startsWith('the new supergraph is refused')

describe('a supergraph of live subgraphs', { concurrency: 2 }, () => {
  test('is composed of what they tell, and again when one of them tells something else', async (t) => {
    const a = await changingSubgraph(t, users, me)
    const b = await changingSubgraph(t, goods, best)
    const gateway = await startLoaded(t, configOf({ a, b }))
    assert.deepEqual((await ask(gateway, '{ me { name } best { price } }')).data, {
      me: { name: 'Ada' },
      best: { price: 7 },
    })
    assert.equal((await ask(gateway, '{ me { age } }')).status, 400)
    a.change(users.replace('name: String', 'name: String age: Int'))
    a.data = { me: { ...me.me, age: 36 } }
    await gateway.logged(applied)
    assert.deepEqual((await ask(gateway, '{ me { name age } }')).data, { me: { name: 'Ada', age: 36 } })
    assert.equal(await metric(gateway, 'gateway_graphql_supergraph_changes_total{result="applied"}'), '1')
    assert.equal(await metric(gateway, 'gateway_graphql_supergraph_up'), '1')
    assert.equal(await supergraphCheck(gateway), 'the newest supergraph is running')
  })

  test('asks with the token and the headers that are configured', async (t) => {
    const a = await changingSubgraph(t, users, me)
    const live = { token: 'for-schemas', headers: { 'X-Schema': 'yes' } }
    const gateway = await startLoaded(t, configOf({ a }, { live }))
    const [first] = a.asked
    assert.equal(first?.authorization, 'Bearer for-schemas')
    assert.equal(first?.['x-schema'], 'yes')
    assert.ok(!JSON.stringify(gateway.gateway.shownConfig()).includes('for-schemas'))
  })

  test('takes the introspection of one that does not know federation', async (t) => {
    const a = await changingSubgraph(t, users, me)
    const b = await changingSubgraph(t, goods, { hours: 24 })
    b.changeToPlain('"Of the shop." type Query { hours: Int! @deprecated(reason: "open always") }')
    const gateway = await startLoaded(t, configOf({ a, b }))
    assert.deepEqual((await ask(gateway, '{ hours me { name } }')).data, { hours: 24, me: { name: 'Ada' } })
  })

  test('says of one that tells its schema in no way what it said', async (t) => {
    const b = await changingSubgraph(t, goods)
    b.changeToPlain('type Query { hours: Int! }', { introspection: false })
    const gateway = await startGateway(t, configOf({ b }))
    const reason = /tells its schema neither by _service .* nor by introspection/
    await gateway.logged((line) => line.source === 'subgraph "b"' && reason.test(String(line.reason)))
  })

  test('waits for a subgraph that is down at the start, and serves everything else', async (t) => {
    const a = await changingSubgraph(t, users, me)
    const b = await changingSubgraph(t, goods, best)
    await b.stop()
    const gateway = await startGateway(t, configOf({ a, b }))
    assert.equal((await fetch(`${gateway.url}/up`)).status, 204)
    const { status, errors } = await ask(gateway, '{ me { name } }')
    assert.equal(status, 503)
    assert.equal(
      errors?.[0]?.message,
      'There is no GraphQL schema: subgraph "b" has not told its schema yet.',
    )
    assert.equal(errors?.[0]?.extensions.reason, 'UNAVAILABLE')
    assert.match(await supergraphCheck(gateway), /subgraph "b": .*refused the connection/)
    assert.equal((await fetch(`${gateway.url}/readyz`)).status, 200)
    assert.equal(await metric(gateway, 'gateway_graphql_supergraph_up'), '0')
    await b.start()
    const answer = await until(
      () => ask(gateway, '{ me { name } best { price } }'),
      (one) => one.status === 200,
    )
    assert.deepEqual(answer.data, { me: { name: 'Ada' }, best: { price: 7 } })
  })

  test('says in /readyz why subgraphs do not compose at the start, and begins when they do', async (t) => {
    const a = await changingSubgraph(t, users, me)
    const b = await changingSubgraph(t, `${link}type Query { me: Int }`)
    const gateway = await startGateway(t, configOf({ a, b }))
    const { status, errors } = await ask(gateway, '{ me { name } }')
    assert.equal(status, 503)
    assert.equal(errors?.[0]?.message, 'There is no GraphQL schema: what there is does not load.')
    assert.match(await supergraphCheck(gateway), /is refused: The subgraphs do not compose[\s\S]*"Query\.me"/)
    assert.equal((await fetch(`${gateway.url}/up`)).status, 204)
    const asked = b.asked.length
    await until(
      async () => b.asked.length,
      (count) => count > asked + 2,
    )
    assert.equal(gateway.logs.filter(refused).length, 1)
    b.change(goods)
    await until(
      () => ask(gateway, '{ me { name } }'),
      (answer) => answer.status === 200,
    )
  })

  test('keeps the old one when the new one does not compose, says so once with subgraph and line, and takes the cure', async (t) => {
    const a = await changingSubgraph(t, users, me)
    const b = await changingSubgraph(t, goods, best)
    const gateway = await startLoaded(t, configOf({ a, b }))
    b.change(
      `${link}type Query { best: Product }\ntype Product @key(fields: "upc") { upc: ID! price: Int }\n\ntype User { name: Int }`,
    )
    const line = await gateway.logged(refused)
    assert.match(String(line.message), /the old one keeps running/)
    const problems = (line.problems as string[]).join('\n')
    assert.match(problems, /do not compose/)
    assert.match(problems, /b:\d+:\d+ \(subgraph "b"\).*\[/)
    assert.deepEqual((await ask(gateway, '{ me { name } }')).data, { me: { name: 'Ada' } })
    assert.match(await supergraphCheck(gateway), /is refused: The subgraphs do not compose/)
    assert.equal(await metric(gateway, 'gateway_graphql_supergraph_changes_total{result="refused"}'), '1')
    // It goes on being asked, and being refused, without another word.
    const asked = b.asked.length
    await until(
      async () => b.asked.length,
      (count) => count > asked + 4,
    )
    assert.equal(gateway.logs.filter(refused).length, 1)
    b.change(goods.replace('price: Int', 'price: Int stock: Int'))
    await gateway.logged(applied)
    assert.equal((await ask(gateway, '{ best { stock } }')).status, 200)
    assert.match(await supergraphCheck(gateway), /newest supergraph/)
  })

  const json = { 'content-type': 'application/json' }
  const manners: Readonly<Record<string, (req: IncomingMessage, res: ServerResponse) => void>> = {
    'is no JSON': (_, res) => res.writeHead(200, json).end('{"data": {"_serv'),
    'is a page': (_, res) => res.writeHead(200, { 'content-type': 'text/html' }).end('<h1>soon</h1>'),
    'has status 500': (_, res) =>
      res.writeHead(500, json).end('{"data":{"_service":{"sdl":"type Query {a: Int}"}}}'),
    'has an SDL that is a number': (_, res) =>
      res.writeHead(200, json).end('{"data":{"_service":{"sdl":7}}}'),
    'has an empty SDL': (_, res) => res.writeHead(200, json).end('{"data":{"_service":{"sdl":" "}}}'),
    'has a schema that is none': (_, res) =>
      res.writeHead(200, json).end('{"data":{"__schema":{"types":7}}}'),
    'breaks off': (_, res) => {
      res.writeHead(200, { ...json, 'content-length': '1000' })
      res.write('{"data"')
      setTimeout(() => res.destroy(), 20)
    },
    'never comes': () => {},
    'never ends': (_, res) => void res.writeHead(200, json).write('{"data":'),
    'is larger than anything sensible': (_, res) => {
      res.writeHead(200, json)
      res.write('{"data":{"_service":{"sdl":"')
      const more = (): void => {
        if (!res.destroyed) res.write('a'.repeat(1_048_576), () => setImmediate(more))
      }
      more()
    },
    'leads elsewhere': (_, res) => res.writeHead(307, { location: 'http://127.0.0.1:1/' }).end(),
  }
  for (const [manner, instead] of Object.entries(manners)) {
    test(`keeps what was known when the answer ${manner}`, async (t) => {
      const a = await changingSubgraph(t, users, me)
      const timeout = manner.startsWith('never') ? '1s' : '30s'
      const gateway = await startLoaded(t, configOf({ a }, { live: { timeout } }))
      a.instead = instead
      const check = (): Promise<string> => supergraphCheck(gateway)
      await until(check, (text) => text.startsWith('subgraph "a": '))
      assert.deepEqual((await ask(gateway, '{ me { name } }')).data, { me: { name: 'Ada' } })
      a.instead = undefined
      await until(check, (text) => text === 'the newest supergraph is running')
    })
  }

  test('refuses a schema under which a stored operation would fail', async (t) => {
    const a = await changingSubgraph(t, users, me)
    const config = configOf({ a }) as { routes: object[] }
    config.routes.push({
      id: 'name',
      path: '/name',
      auth: 'none',
      methods: ['GET'],
      graphqlOperation: { operation: '{ me { name } }', at: 'me' },
    })
    const gateway = await startLoaded(t, config)
    assert.equal(await (await fetch(`${gateway.url}/name`)).text(), '{"name":"Ada"}')
    a.change(users.replace('name: String', 'called: String'))
    const line = await gateway.logged(refused)
    assert.match(String(line.problems), /a stored operation does not fit: .*Cannot query field "name"/)
    assert.equal((await ask(gateway, '{ me { called } }')).status, 400)
    a.change(users.replace('name: String', 'name: String called: String'))
    await gateway.logged(applied)
    assert.equal(await (await fetch(`${gateway.url}/name`)).text(), '{"name":"Ada"}')
  })

  test('answers a route with 503 until there is a schema for its stored operation', async (t) => {
    const a = await changingSubgraph(t, users, me)
    await a.stop()
    const config = configOf({ a }) as { routes: object[] }
    const operation = { id: 'name', path: '/name', auth: 'none', methods: ['GET'] }
    config.routes.push({ ...operation, graphqlOperation: { operation: '{ me { name } }' } })
    const gateway = await startGateway(t, config)
    assert.equal((await fetch(`${gateway.url}/name`)).status, 503)
    await a.start()
    const status = async (): Promise<number> => (await fetch(`${gateway.url}/name`)).status
    await until(status, (now) => now === 200)
  })

  test('lets an operation that is under way end on the engine that it began on', async (t) => {
    const a = await changingSubgraph(t, users, me)
    const gateway = await startLoaded(t, configOf({ a }))
    const reached = Promise.withResolvers<void>()
    const go = Promise.withResolvers<void>()
    a.before = () => {
      reached.resolve()
      return go.promise
    }
    const underWay = ask(gateway, '{ me { name } }')
    await reached.promise
    a.before = undefined
    a.change(users.replace('name: String', 'called: String'))
    await gateway.logged(applied)
    assert.equal((await ask(gateway, '{ me { name } }')).status, 400)
    a.change(users)
    go.resolve()
    assert.deepEqual((await underWay).data, { me: { name: 'Ada' } })
  })

  test('plans what is asked most before the new one takes over', async (t) => {
    const a = await changingSubgraph(t, users, me)
    const gateway = await startLoaded(t, configOf({ a }, { more: { warmUp: { operations: 2 } } }))
    for (const query of ['{ me { id } }', '{ me { name } }', '{ me { name } }', '{ me { id name } }'])
      await ask(gateway, query)
    await ask(gateway, '{ me { id } }')
    await ask(gateway, '{ me { id } }')
    a.change(users.replace('name: String', 'called: String'))
    assert.equal((await gateway.logged(applied)).planned, 1)
    const lost = await gateway.logged(({ message }) => String(message).includes('not valid any more'))
    assert.equal(lost.operation, '{ me { name } }')
    assert.match(String(lost.reason), /Cannot query field "name"/)
  })

  test('answers every request of a steady load over six changes', async (t) => {
    const a = await changingSubgraph(t, users, me)
    const b = await changingSubgraph(t, goods, best)
    const gateway = await startLoaded(t, configOf({ a, b }))
    let changing = true
    const client = async (): Promise<number> => {
      let answered = 0
      for (; changing; answered++) {
        const { status, data, errors } = await ask(gateway, '{ me { name } best { price } }')
        assert.deepEqual(
          [status, errors, data],
          [200, undefined, { me: { name: 'Ada' }, best: { price: 7 } }],
        )
      }
      return answered
    }
    const clients = Promise.all([client(), client(), client(), client()])
    for (let change = 1; change <= 6; change++) {
      a.change(users.replace('name: String', `name: String new${change}: Int`))
      await until(
        () => ask(gateway, `{ me { new${change} } }`),
        ({ status }) => status === 200,
      )
    }
    changing = false
    assert.ok((await clients).reduce((sum, count) => sum + count) > 24)
    assert.ok(gateway.logs.filter(applied).length >= 6)
  })

  test('is not forgotten by a reload while a subgraph is down', async (t) => {
    const a = await changingSubgraph(t, users, me)
    const b = await changingSubgraph(t, goods, best)
    const gateway = await startLoaded(t, configOf({ a, b }))
    await b.stop()
    await gateway.logged(({ source }) => source === 'subgraph "b"')
    assert.equal(await gateway.gateway.reload(), true)
    assert.deepEqual((await ask(gateway, '{ me { name } }')).data, { me: { name: 'Ada' } })
    // What it told goes on to count, also where another one changes.
    a.change(users.replace('name: String', 'name: String age: Int'))
    await gateway.logged(applied)
    assert.equal((await ask(gateway, '{ me { age } }')).status, 200)
    await b.start()
    await until(
      () => ask(gateway, '{ best { price } }'),
      ({ data }) => data?.best != null,
    )
  })
})
