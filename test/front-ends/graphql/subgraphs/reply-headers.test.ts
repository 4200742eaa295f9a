import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CacheControl } from '../../../../src/front-ends/graphql/subgraphs/cache-control.ts'
import type { Subgraph } from '../subgraphs.ts'
import { apiKey, openShop } from './shop-gateway.ts'

const two = '{ me { name reviews { body } } }'

/** The schema answers, with these headers. */
function withHeaders(subgraph: Subgraph, headers: [string, string][]): void {
  subgraph.extraHeaders = headers
}

describe('headers of answers', () => {
  it('are not those of subgraphs without a rule', async (t) => {
    const shop = await openShop(t)
    withHeaders(shop.accounts, [
      ['set-cookie', 'a=1'],
      ['x-served-by', 'acc-1'],
      ['cache-control', 'max-age=60'],
    ])
    const { headers } = await shop.ask('{ me { name } }')
    for (const name of ['set-cookie', 'x-served-by', 'cache-control']) assert.equal(headers.get(name), null)
  })

  it('come by rule: the first, the last, all of them, every cookie, and by pattern what is harmless', async (t) => {
    const forward = {
      'X-First': 'first',
      'x-last': 'last',
      'x-all': 'append',
      'set-cookie': 'append',
      'x-d*': 'last',
    }
    const shop = await openShop(t, { headers: { response: { forward } } })
    for (const [subgraph, sign] of [
      [shop.accounts, 'a'],
      [shop.reviews, 'r'],
    ] as const)
      withHeaders(subgraph, [
        ['x-first', sign],
        ['x-last', sign],
        ['x-all', sign],
        ['x-debug', sign],
        ['x-other', sign],
        ['set-cookie', `${sign}=1; HttpOnly`],
        ['set-cookie', `${sign}=2`],
      ])
    const { headers } = await shop.ask(two)
    const got = ['x-first', 'x-last', 'x-all', 'x-debug', 'x-other'].map((name) => headers.get(name))
    assert.deepEqual(got, ['a', 'r', 'a, r', 'r', null])
    assert.deepEqual(headers.getSetCookie(), ['a=1; HttpOnly', 'a=2', 'r=1; HttpOnly', 'r=2'])
  })

  it('covers by no pattern what is the gateway’s, of one message, a cookie or for browsers to obey', async (t) => {
    const shop = await openShop(t, { headers: { response: { forward: { '*': 'last' } } } })
    const kept: [string, string][] = [
      ['set-cookie', 'a=1'],
      ['access-control-allow-origin', '*'],
      ['location', 'https://evil.example'],
      ['x-request-id', 'forged'],
      ['etag', '"1"'],
      ['www-authenticate', 'Basic'],
      ['strict-transport-security', 'max-age=0'],
    ]
    withHeaders(shop.accounts, [...kept, ['x-ok', '1']])
    const { headers } = await shop.ask('{ me { name } }')
    assert.equal(headers.get('x-ok'), '1')
    for (const [name, value] of kept) assert.notEqual(headers.get(name), value, name)
  })

  it('follow the rule of the subgraph rather than that for all', async (t) => {
    const shop = await openShop(
      t,
      { headers: { response: { forward: { 'x-a': 'append' } } } },
      { of: { reviews: { headers: { response: { forward: { 'x-a': 'first' } } } } } },
    )
    for (const subgraph of [shop.accounts, shop.reviews]) withHeaders(subgraph, [['x-a', subgraph.name]])
    assert.equal((await shop.ask(two)).headers.get('x-a'), 'accounts')
  })

  it('are bounded, whatever subgraphs send', async (t) => {
    const shop = await openShop(t, { headers: { response: { forward: { 'x-a': 'append' } } } })
    withHeaders(shop.accounts, [['x-a', 'a'.repeat(9_000)]])
    withHeaders(shop.reviews, [['x-a', 'r'.repeat(9_000)]])
    const { headers, status } = await shop.ask(two)
    assert.equal(status, 200)
    assert.equal(headers.get('x-a')?.length, 9_000)
  })

  const refused: [name: string, response: object, message: RegExp][] = [
    ['one cookie in place of the others', { forward: { 'Set-Cookie': 'last' } }, /append/],
    ['a length', { forward: { 'content-length': 'last' } }, /describes the answer of the subgraph/],
    ['Cache-Control as any other', { forward: { 'cache-control': 'last' } }, /see cacheControl/],
    ['what the gateway writes', { forward: { 'x-request-id': 'last' } }, /written by the gateway/],
    ['an unknown algorithm', { forward: { 'x-a': 'join' } }, /x-a/],
  ]
  for (const [name, response, message] of refused) {
    it(`refuse ${name} when configuration loads`, async (t) => {
      await assert.rejects(openShop(t, { headers: { response } }), message)
    })
  }
})

describe('Cache-Control of answers', () => {
  const cases: [name: string, accounts: string | undefined, reviews: string | undefined, expected: string][] =
    [
      ['the shortest age', 'public, max-age=60', 'public, max-age=30', 'public, max-age=30'],
      ['private, if one is', 'public, max-age=60', 'private, max-age=90', 'private, max-age=60'],
      ['no-store, if one is', 'no-store', 'max-age=90', 'no-store'],
      ['no-cache, if one is', 'no-cache', 'max-age=90', 'no-cache'],
      ['no-cache, if one says nothing', 'max-age=60', undefined, 'no-cache'],
      ['stale, if one cannot be read', 'max-age=ten', 'max-age=90', 'max-age=0'],
      [
        'must-revalidate, if one must',
        'max-age=60, must-revalidate',
        'max-age=90',
        'max-age=60, must-revalidate',
      ],
    ]
  const set = (subgraph: Subgraph, value: string | undefined): void =>
    withHeaders(subgraph, value === undefined ? [] : [['cache-control', value]])
  for (const [name, accounts, reviews, expected] of cases) {
    it(`is ${name}`, async (t) => {
      const shop = await openShop(t, { headers: { response: { cacheControl: true } } })
      set(shop.accounts, accounts)
      set(shop.reviews, reviews)
      const { headers } = await shop.ask(two)
      assert.equal(headers.get('cache-control'), expected)
      assert.match(String(headers.get('vary')), /Accept-Language/)
    })
  }

  // RFC 9111 section 3.5; a service outside may be asked about cookies.
  for (const headers of [{ authorization: 'Bearer of-the-subgraph' }, { cookie: 'session=1' }]) {
    it(`is private for who sends ${Object.keys(headers)[0]}, whoever it is for`, async (t) => {
      const shop = await openShop(t, { auth: 'none', headers: { response: { cacheControl: true } } })
      set(shop.accounts, 'public, max-age=60')
      const answer = await shop.ask('{ me { name } }', headers)
      assert.equal(answer.headers.get('cache-control'), 'private, max-age=60')
    })
  }

  it('is private for callers who are known, and where more than headers of a name decides', async (t) => {
    const shop = await openShop(t, { headers: { response: { cacheControl: true } } })
    set(shop.accounts, 'public, max-age=60')
    const { headers } = await shop.ask('{ me { name } }', { 'x-api-key': apiKey })
    assert.equal(headers.get('cache-control'), 'private, max-age=60')
    const other = await openShop(t, {
      headers: { request: { forward: ['x-*', 'x-tenant'] }, response: { cacheControl: true } },
    })
    set(other.accounts, 'public, max-age=60')
    const answer = await other.ask('{ me { name } }')
    assert.equal(answer.headers.get('cache-control'), 'private, max-age=60')
    assert.match(String(answer.headers.get('vary')), /x-tenant/)
  })

  it('is no-store for mutations and where something failed', async (t) => {
    const shop = await openShop(t, { headers: { response: { cacheControl: true } } })
    set(shop.accounts, 'max-age=60')
    set(shop.reviews, 'max-age=60')
    const asked = ['mutation { rename(name: "x") { name } }', '{ me { name } private }']
    for (const query of asked) assert.equal((await shop.ask(query)).headers.get('cache-control'), 'no-store')
    await shop.reviews.close()
    assert.equal((await shop.ask(two)).headers.get('cache-control'), 'no-store')
  })

  it('takes off the time that an answer was kept already', () => {
    const merged = new CacheControl()
    merged.merge('max-age=60, s-maxage=600', 20)
    assert.equal(merged.text(false), 'max-age=40, s-maxage=580')
    assert.equal(merged.text(true), 'private, max-age=40')
  })
})

describe('extensions of subgraphs', () => {
  it('are in the answer where they are named, by subgraph', async (t) => {
    const shop = await openShop(
      t,
      { forwardExtensions: ['cost'] },
      { of: { reviews: { forwardExtensions: [] } } },
    )
    for (const one of [shop.accounts, shop.reviews])
      one.extensions = { cost: { points: 7 }, tracing: { secret: 1 } }
    const { extensions } = await shop.ask(two)
    assert.deepEqual(extensions, { subgraphs: { accounts: { cost: { points: 7 } } } })
  })

  it('are not in it by default', async (t) => {
    const shop = await openShop(t)
    shop.accounts.extensions = { cost: 7 }
    assert.equal((await shop.ask('{ me { name } }')).extensions, undefined)
  })
})
