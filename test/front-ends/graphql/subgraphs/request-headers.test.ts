import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { token } from '../tokens.ts'
import { apiKey, openShop } from './shop-gateway.ts'

const value = (name: string): string => `\${${name}}`

describe('headers of fetches', () => {
  const cases: {
    name: string
    all?: object
    own?: object
    graphql?: object
    config?: object
    sent: Record<string, string>
    expected: Record<string, string | undefined>
  }[] = [
    {
      name: 'forwards what is named, and nothing else',
      all: { forward: ['X-Tenant'] },
      sent: { 'x-tenant': 'acme', 'x-other': '1' },
      expected: { 'x-tenant': 'acme', 'x-other': undefined },
    },
    {
      name: 'forwards what begins as a pattern',
      all: { forward: ['x-t*'] },
      sent: { 'x-tenant': 'acme', 'x-trial': '1', 'x-other': '1' },
      expected: { 'x-tenant': 'acme', 'x-trial': '1', 'x-other': undefined },
    },
    {
      name: 'covers by no pattern what is a credential, a cookie, of one message or of the gateway',
      all: { forward: ['*'] },
      sent: {
        'x-tenant': 'acme',
        authorization: '',
        'x-api-key': apiKey,
        cookie: 'a=1',
        'x-user-id': 'root',
        'x-forwarded-for': '6.6.6.6',
        'accept-encoding': 'br',
        'if-none-match': '"1"',
        'x-original-url': '/admin',
        'proxy-authorization': 'Basic eA==',
        te: 'trailers',
        forwarded: 'for=6.6.6.6',
      },
      expected: {
        'x-tenant': 'acme',
        authorization: undefined,
        'x-api-key': undefined,
        cookie: undefined,
        'x-user-id': 'ann',
        'x-forwarded-for': '127.0.0.1',
        'accept-encoding': undefined,
        'if-none-match': undefined,
        'x-original-url': undefined,
        'proxy-authorization': undefined,
        te: undefined,
      },
    },
    {
      name: 'forwards a credential that is named',
      all: { forward: ['x-api-key'] },
      sent: { 'x-api-key': apiKey },
      expected: { 'x-api-key': apiKey },
    },
    {
      name: 'forwards all credentials where credentials are forwarded, but those that a subgraph is not to have',
      own: { remove: ['x-api-key'] },
      graphql: { forwardCredentials: true },
      config: { auth: { apiKeys: { header: 'x-partner-key' } } },
      sent: { 'x-partner-key': apiKey, 'x-api-key': 'another' },
      expected: { 'x-partner-key': apiKey, 'x-api-key': undefined },
    },
    {
      name: 'forwards cookies that are named, without the one that holds a credential',
      all: { forward: ['cookie'] },
      config: { auth: { apiKeys: { cookie: 'key' } } },
      sent: { cookie: `theme=dark; key=${apiKey}`, 'sec-fetch-site': 'same-origin' },
      expected: { cookie: 'theme=dark' },
    },
    {
      name: 'renames, also what is not forwarded',
      all: { rename: { 'x-tenant': 'x-org' } },
      sent: { 'x-tenant': 'acme' },
      expected: { 'x-tenant': undefined, 'x-org': 'acme' },
    },
    {
      name: 'takes out what a pattern let through',
      all: { forward: ['x-*'] },
      own: { remove: ['X-Secret'] },
      sent: { 'x-secret': '1', 'x-open': '2' },
      expected: { 'x-secret': undefined, 'x-open': '2' },
    },
    {
      name: 'writes literals and values of the caller, in place of what the client said',
      all: {
        forward: ['x-tier', 'x-who'],
        set: { 'x-tier': 'gold', 'x-who': value('user.consumer'), 'x-rid': value('request.id') },
      },
      sent: { 'x-tier': 'platinum', 'x-who': 'root', 'x-request-id': 'r-1', 'x-api-key': apiKey },
      expected: { 'x-tier': 'gold', 'x-who': 'ann', 'x-rid': 'r-1' },
    },
    {
      name: 'lets nothing of the client through where a value is not there',
      all: { forward: ['x-org'], set: { 'x-org': value('claim.org') } },
      sent: { 'x-org': 'forged' },
      expected: { 'x-org': undefined },
    },
    {
      name: 'has a default for what the client does not send',
      all: { forward: ['x-tenant', 'x-region'], default: { 'x-tenant': 'public', 'x-region': 'eu' } },
      sent: { 'x-region': 'us' },
      expected: { 'x-tenant': 'public', 'x-region': 'us' },
    },
    {
      name: 'gives the last word to the rules of the subgraph',
      all: { set: { 'x-tier': 'gold' } },
      own: { set: { 'x-tier': 'silver' } },
      sent: {},
      expected: { 'x-tier': 'silver' },
    },
  ]
  for (const { name, all = {}, own = {}, graphql = {}, config = {}, sent, expected } of cases) {
    it(name, async (t) => {
      const shop = await openShop(
        t,
        { headers: { request: all }, ...graphql },
        { of: { accounts: { headers: { request: own } } }, config },
      )
      const { authorization: _, ...headers } = sent
      const { errors } = await shop.ask('{ me { name } }', headers)
      assert.deepEqual(errors, [])
      const got = shop.accounts.requests[0]?.headers ?? {}
      for (const [header, text] of Object.entries(expected)) assert.equal(got[header], text, header)
      assert.equal(got['content-type'], 'application/json')
    })
  }

  it('sends values of claims, and the token itself only where it is named', async (t) => {
    const shop = await openShop(
      t,
      { headers: { request: { set: { 'x-org': value('claim.org') } } } },
      { of: { accounts: { headers: { request: { forward: ['authorization'] } } } } },
    )
    const authorization = `Bearer ${await token({ org: 'Acme\r\nX-Evil: 1' })}`
    await shop.ask('{ me { name reviews { body } } }', { authorization })
    const [accounts, reviews] = [shop.accounts.requests[0]?.headers, shop.reviews.requests[0]?.headers]
    assert.deepEqual([accounts?.authorization, reviews?.authorization], [authorization, undefined])
    assert.equal(accounts?.['x-org'], 'Acme%0D%0AX-Evil: 1')
    assert.equal(accounts?.['x-evil'], undefined)
  })

  it('gives each fetch a span of its own in the trace of the request', async (t) => {
    const shop = await openShop(t)
    await shop.ask('{ me { reviews { body } } }', {
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    })
    const parents = [shop.accounts, shop.reviews].map(({ requests }) =>
      String(requests[0]?.headers.traceparent),
    )
    for (const parent of parents)
      assert.match(parent, /^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/)
    assert.notEqual(parents[0], parents[1])
    assert.ok(parents.every((parent) => !parent.includes('b7ad6b7169203331')))
  })

  const refused: [name: string, request: object, message: RegExp][] = [
    ['a header of the gateway', { forward: ['X-User-ID'] }, /forward.*"X-User-ID" is never forwarded/s],
    ['a header of one connection', { forward: ['te'] }, /"te" is never forwarded/],
    ['what describes the body', { forward: ['content-type'] }, /describes the client's own message/],
    ['how the answer is coded', { set: { 'accept-encoding': 'br' } }, /describes the message of the fetch/],
    ['a star in the middle', { forward: ['x-*-id'] }, /is no header name/],
    ['a name that becomes a credential', { rename: { 'x-a': 'authorization' } }, /holds credentials/],
    ['an identity', { default: { 'x-user-id': 'root' } }, /written by the gateway alone/],
    [
      'a credential out of a value',
      { default: { authorization: value('claim.t') } },
      /credentials are written out/,
    ],
    ['a value that there is not', { set: { 'x-a': value('claims.sub') } }, /there is no value "claims.sub"/],
    ['a path variable', { set: { 'x-a': value('path.id') } }, /no variable "id"/],
    ['an unknown key', { insert: {} }, /insert/],
  ]
  for (const [name, request, message] of refused) {
    it(`refuses ${name} when configuration loads`, async (t) => {
      await assert.rejects(openShop(t, { headers: { request } }), message)
    })
  }
})
