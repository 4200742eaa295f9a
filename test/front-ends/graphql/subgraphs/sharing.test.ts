import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { detailsOf } from '../../../../src/cli/logged-request.ts'
import type { Exchange, UpstreamCall } from '../../../../src/core/exchange.ts'
import { readRecord } from '../../../../src/request-log/read-record.ts'
import { recordOf } from '../../../../src/request-log/record.ts'
import { type Door, frontEndOver, openDoor } from '../harness.ts'
import { type Subgraph, startSubgraph } from '../subgraphs.ts'

interface Crowd {
  readonly door: Door
  readonly accounts: Subgraph
  readonly all: readonly Subgraph[]
  /** Resolves when so many fetches were on their way, those that wait for another among them. */
  fetches(count: number): Promise<void>
  /** Lets the answers of `accounts` go that wait; from the next on they do not wait. */
  release(): void
}

/** The subgraph `accounts` answers when it is released. `onCall`: what plugins add to a call. */
async function openCrowd(
  t: TestContext,
  onCall: (x: Exchange, call: UpstreamCall) => void = () => {},
  options: Parameters<typeof frontEndOver>[1] = {},
): Promise<Crowd> {
  const all = await Promise.all([
    startSubgraph('accounts'),
    startSubgraph('products'),
    startSubgraph('reviews'),
  ])
  const [accounts] = all
  const seen: UpstreamCall[] = []
  const waiting: { count: number; resolve: () => void }[] = []
  const hooks = {
    onCall: [
      onCall,
      (x: Exchange, call: UpstreamCall): void => {
        call.headers.push('traceparent', `00-${x.trace.traceId}-00f067aa0ba902b7-01`, 'x-request-id', x.id)
        seen.push(call)
        for (const { count, resolve } of waiting) if (seen.length >= count) setImmediate(resolve)
      },
    ],
  }
  const door = await openDoor(await frontEndOver(all, options), hooks)
  t.after(() => Promise.all([door.close(), ...all.map((one) => one.close())]))
  const gate = Promise.withResolvers<void>()
  accounts.before = () => gate.promise
  return {
    door,
    accounts,
    all,
    fetches: (count) =>
      new Promise((resolve) => {
        if (seen.length >= count) setImmediate(resolve)
        else waiting.push({ count, resolve })
      }),
    release: () => {
      accounts.before = undefined
      gate.resolve()
    },
  }
}

const me = '{ me { id name } }'

function ask(
  door: Door,
  headers: Record<string, string> = {},
  query = me,
  signal?: AbortSignal,
): Promise<Response> {
  return door.fetch({
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query }),
    ...(signal === undefined ? {} : { signal }),
  })
}

/** Runs while the first of them waits for its subgraph, and counts what the subgraph was asked. */
async function together(
  crowd: Crowd,
  asked: (() => Promise<Response>)[],
): Promise<{ status: number; body: string }[]> {
  const answers: Promise<Response>[] = []
  for (const [index, one] of asked.entries()) {
    answers.push(one())
    await crowd.fetches(index + 1)
  }
  crowd.release()
  return Promise.all(
    answers.map(async (one) => ({ status: (await one).status, body: await (await one).text() })),
  )
}

async function closed(x: Exchange | undefined): Promise<void> {
  if (x !== undefined && !x.gone) await new Promise<void>((resolve) => x.whenGone(() => resolve()))
}

const user = (x: Exchange, call: UpstreamCall): void => {
  const id = x.header('x-test-user')
  if (id !== undefined) call.headers.push('x-user-id', id)
}

describe('identical fetches under way', () => {
  it('are sent once, and each request has the whole answer', async (t) => {
    const crowd = await openCrowd(t)
    const answers = await together(
      crowd,
      [1, 2, 3, 4].map(() => () => ask(crowd.door)),
    )
    for (const { status, body } of answers) {
      assert.equal(status, 200)
      assert.deepEqual(JSON.parse(body), { data: { me: { id: '1', name: 'Ada' } } })
    }
    assert.equal(crowd.accounts.requests.length, 1)
    const calls = crowd.door.exchanges.map((x) => x.calls[0])
    assert.deepEqual(
      calls.map((call) => [
        call?.upstreamName,
        call?.attempts.length,
        call?.shared,
        call?.target,
        call?.error,
      ]),
      [1, 0, 0, 0].map((attempts) => ['accounts', attempts, attempts === 0, crowd.accounts.url, undefined]),
    )
    // So does the request log, and `gateway logs`.
    const place = { protocol: 'graphql', route: 'graphql', template: '/graphql', configVersion: 1 }
    const facts = { at: 0, durationMs: 1, status: 200, place, node: 'one' }
    const logged = crowd.door.exchanges.map((x) => readRecord(recordOf(x), facts))
    assert.deepEqual(
      logged.map(({ calls: [call] }) => [call?.upstream, call?.shared, call?.attempts.length]),
      [1, 0, 0, 0].map((attempts) => ['accounts', attempts === 0 ? true : undefined, attempts]),
    )
    assert.deepEqual(
      logged.map((entry) => /the answer of a call that was under way/.test(detailsOf(entry))),
      [false, true, true, true],
    )
  })

  it('are sent again once the answer is there', async (t) => {
    const crowd = await openCrowd(t)
    crowd.release()
    await ask(crowd.door)
    await ask(crowd.door)
    assert.equal(crowd.accounts.requests.length, 2)
  })

  const different: [name: string, asked: { headers?: Record<string, string>; query?: string }][] = [
    ['of another user', { headers: { 'x-test-user': 'bob' } }],
    ['with another language', { headers: { 'accept-language': 'de' } }],
    ['of another operation', { query: '{ me { id } }' }],
  ]
  for (const [name, { headers = {}, query }] of different) {
    it(`are not the same as one ${name}`, async (t) => {
      const crowd = await openCrowd(t, user)
      await together(crowd, [
        () => ask(crowd.door, { 'x-test-user': 'ann' }),
        () => ask(crowd.door, { 'x-test-user': 'ann', ...headers }, query),
      ])
      assert.equal(crowd.accounts.requests.length, 2)
    })
  }

  it('are the same although header values differ that are said not to matter', async (t) => {
    const crowd = await openCrowd(t, user, { sharing: { ignoredHeaders: ['x-user-id'] } })
    await together(crowd, [
      () => ask(crowd.door, { 'x-test-user': 'ann' }),
      () => ask(crowd.door, { 'x-test-user': 'bob' }),
    ])
    assert.equal(crowd.accounts.requests.length, 1)
  })

  it('are never mutations', async (t) => {
    const crowd = await openCrowd(t)
    const rename = () => ask(crowd.door, {}, 'mutation { rename(name: "Grace") { name } }')
    await together(crowd, [rename, rename])
    assert.equal(crowd.accounts.requests.length, 2)
  })

  it('are not waited for that a mutation has overtaken', async (t) => {
    const crowd = await openCrowd(t)
    const before = ask(crowd.door)
    await crowd.fetches(1)
    const { accounts } = crowd
    const held = accounts.before
    accounts.before = undefined
    await ask(crowd.door, {}, 'mutation { rename(name: "Grace") { name } }')
    accounts.before = held
    const after = ask(crowd.door)
    await crowd.fetches(3)
    crowd.release()
    await Promise.all([before, after])
    assert.equal(accounts.requests.length, 3)
  })

  it('go on when the client leaves whose call it was', async (t) => {
    const crowd = await openCrowd(t)
    const controller = new AbortController()
    const left = assert.rejects(ask(crowd.door, {}, me, controller.signal))
    await crowd.fetches(1)
    const rest = [ask(crowd.door), ask(crowd.door)]
    await crowd.fetches(3)
    controller.abort()
    await left
    await closed(crowd.door.exchanges[0])
    crowd.release()
    for (const response of await Promise.all(rest)) {
      assert.deepEqual(await response.json(), { data: { me: { id: '1', name: 'Ada' } } })
    }
    assert.equal(crowd.accounts.requests.length, 2)
    assert.deepEqual(
      crowd.door.exchanges.map((x) => [x.status, x.calls[0]?.shared]),
      [
        [499, false],
        [200, false],
        [200, true],
      ],
    )
  })

  it('let a client go that leaves while it waits, and nobody else', async (t) => {
    const crowd = await openCrowd(t)
    const first = ask(crowd.door)
    await crowd.fetches(1)
    const controller = new AbortController()
    const left = assert.rejects(ask(crowd.door, {}, me, controller.signal))
    await crowd.fetches(2)
    controller.abort()
    await left
    await closed(crowd.door.exchanges[1])
    crowd.release()
    assert.equal((await first).status, 200)
    assert.equal(crowd.accounts.requests.length, 1)
    assert.equal(crowd.door.exchanges[1]?.calls[0]?.error?.reason, 'CLIENT_GONE')
  })

  it('share what the upstream failed with', async (t) => {
    const crowd = await openCrowd(t)
    crowd.accounts.instead = (_, res) => void res.writeHead(503).end()
    const answers = await together(crowd, [() => ask(crowd.door), () => ask(crowd.door)])
    for (const { body } of answers) assert.match(body, /UPSTREAM_BAD_ANSWER/)
    assert.equal(crowd.accounts.requests.length, 1)
    assert.ok(crowd.door.exchanges.every((x) => x.error?.reason === 'UPSTREAM_BAD_ANSWER'))
  })

  it('keep the time of each: one that waited for a call that ran out of its own asks again', async (t) => {
    const crowd = await openCrowd(t, undefined, { timeoutMs: 1_500 })
    const first = ask(crowd.door)
    await crowd.fetches(1)
    await new Promise((resolve) => setTimeout(resolve, 750))
    const second = ask(crowd.door)
    await crowd.fetches(2)
    assert.match(await (await first).text(), /UPSTREAM_TIMEOUT/)
    // What the subgraph was asked first never comes; from now on it answers at once.
    crowd.release()
    await (await second).text()
    assert.equal(crowd.accounts.requests.length, 2)
  })

  it('are each sent where sharing is off', async (t) => {
    const crowd = await openCrowd(t, undefined, { shared: false })
    await together(crowd, [() => ask(crowd.door), () => ask(crowd.door)])
    assert.equal(crowd.accounts.requests.length, 2)
  })
})
