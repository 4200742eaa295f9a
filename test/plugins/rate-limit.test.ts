import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Principal, RequestHead } from '../../src/core/exchange.ts'
import type { Plugin } from '../../src/core/plugin.ts'
import { networkOf } from '../../src/plugins/rate-limit/partition.ts'
import { rateLimit } from '../../src/plugins/rate-limit/rate-limit.ts'
import { exchange, host, make, policy, type TestExchange, values } from './harness.ts'

interface Caller {
  readonly principal?: Principal
  readonly request?: Partial<RequestHead>
}

async function ask(
  plugins: readonly Plugin[],
  { principal, request = {} }: Caller = {},
): Promise<TestExchange> {
  const x = exchange({ plugins, request })
  x.principal = principal
  await x.run()
  if (!x.committed) x.answer(200, [], '')
  return x
}

test('every answer tells what is left, and the refusal when to come again', async () => {
  const house = host()
  house.time = 1_763_000_000_000
  const plugin = make(rateLimit, { name: 'per-user', limit: 2, window: '1m' }, house)
  const seen: string[] = []
  for (let i = 0; i < 3; i++) {
    const { answered } = await ask([plugin])
    const [limit, again] = [
      values(answered?.headers ?? [], 'RateLimit'),
      values(answered?.headers ?? [], 'RateLimit-Policy'),
    ]
    assert.deepEqual(again, ['"per-user";q=2;w=60'])
    seen.push(`${answered?.status} ${limit}`)
  }
  assert.deepEqual(seen, ['200 "per-user";r=1;t=30', '200 "per-user";r=0;t=30', '429 "per-user";r=0;t=30'])
  house.time += 10_500
  const x = await ask([plugin])
  assert.equal(x.error?.reason, 'RATE_LIMITED')
  assert.equal(x.error.retryAfterMs, 19_500)
  assert.deepEqual(values(x.answered?.headers ?? [], 'RateLimit'), ['"per-user";r=0;t=20'])
})

test('a consumer with a limit of its own gets that one, and nobody else does', async () => {
  const overrides = { trial: { limit: 1, window: '24h' } }
  const plugin = make(rateLimit, { name: 'tiers', limit: 100, window: '1m', overrides })
  const caller = (id: string): Caller => ({
    principal: { id, consumer: id, roles: [], scopes: [], via: 'apiKey' },
  })
  const first = await ask([plugin], caller('trial'))
  assert.deepEqual(values(first.answered?.headers ?? [], 'RateLimit-Policy'), ['"tiers";q=1;w=86400'])
  assert.equal((await ask([plugin], caller('trial'))).error?.reason, 'RATE_LIMITED')
  assert.equal((await ask([plugin], caller('other'))).error, undefined)
  const stranger = await ask([plugin], { request: { clientAddress: 'trial' } })
  assert.deepEqual(values(stranger.answered?.headers ?? [], 'RateLimit-Policy'), ['"tiers";q=100;w=60'])
})

test('a burst of its own is announced', async () => {
  const x = await ask([make(rateLimit, { limit: 100, window: '1m', burst: 5 })])
  assert.deepEqual(values(x.answered?.headers ?? [], 'RateLimit-Policy'), [
    '"default";q=100;w=60;trivium-burst=5',
  ])
  assert.deepEqual(values(x.answered?.headers ?? [], 'RateLimit'), ['"default";r=4;t=1'])
})

test('two limits of one list each tell their own, and the tighter one refuses', async () => {
  const plugins = [
    make(rateLimit, { name: 'wide', limit: 100, window: '1h' }),
    make(rateLimit, { name: 'tight', limit: 1, window: '1s' }),
  ]
  await ask(plugins)
  const x = await ask(plugins)
  assert.match(x.error?.message ?? '', /"tight"/)
  const limits = values(x.answered?.headers ?? [], 'RateLimit')
  assert.match(limits.join(', '), /^"wide";r=98;t=\d+, "tight";r=0;t=1$/)
})

const jwt = (id: string, issuer = 'https://id.example'): Principal => ({
  id,
  issuer,
  roles: [],
  scopes: [],
  via: 'jwt',
})
const owner = (id: string): Principal => ({ id, roles: [], scopes: [], consumer: id, via: 'apiKey' })
const at = (clientAddress: string): Partial<RequestHead> => ({ clientAddress })
const together: readonly [string, string, Caller, Caller, boolean][] = [
  [
    'one consumer from two addresses',
    'consumer',
    { principal: owner('a'), request: at('192.0.2.1') },
    { principal: owner('a'), request: at('192.0.2.2') },
    true,
  ],
  [
    'two consumers behind one address',
    'consumer',
    { principal: owner('a') },
    { principal: owner('b') },
    false,
  ],
  [
    'a token that names itself like a consumer',
    'consumer',
    { principal: owner('a') },
    { principal: jwt('a') },
    false,
  ],
  [
    'a token that names itself like an address',
    'user',
    { request: at('192.0.2.1') },
    { principal: jwt('192.0.2.1') },
    false,
  ],
  [
    'equal subjects of two issuers',
    'user',
    { principal: jwt('a') },
    { principal: jwt('a', 'https://partner.example') },
    false,
  ],
  ['two users by ip', 'ip', { principal: jwt('a') }, { principal: jwt('b') }, true],
  [
    'two strangers by consumer',
    'consumer',
    { request: at('192.0.2.1') },
    { request: at('192.0.2.2') },
    false,
  ],
  ['one stranger by user', 'user', { request: at('192.0.2.1') }, { request: at('192.0.2.1') }, true],
  [
    'two hosts of one IPv6 /64',
    'ip',
    { request: at('2001:db8:0:1::1') },
    { request: at('2001:db8:0:1:ffff::2') },
    true,
  ],
  ['two IPv6 /64', 'ip', { request: at('2001:db8:0:1::1') }, { request: at('2001:db8:0:2::1') }, false],
  [
    'everybody by route',
    'route',
    { principal: owner('a') },
    { principal: jwt('b'), request: at('192.0.2.9') },
    true,
  ],
]
for (const [name, by, first, second, same] of together) {
  test(`${same ? 'counted together' : 'counted apart'}: ${name}`, async () => {
    const plugins = [make(rateLimit, { limit: 1, window: '1h', by })]
    assert.equal((await ask(plugins, first)).error, undefined)
    assert.equal((await ask(plugins, second)).error?.reason, same ? 'RATE_LIMITED' : undefined)
  })
}

test('no header, address or key case gains a caller anything', async () => {
  const plugins = [make(rateLimit, { limit: 1, window: '1h' })]
  await ask(plugins)
  for (const name of [
    'x-forwarded-for',
    'forwarded',
    'x-real-ip',
    'x-user-id',
    'x-consumer',
    'true-client-ip',
  ]) {
    const x = await ask(plugins, { request: { headers: { [name]: '198.51.100.7' } } })
    assert.equal(x.error?.reason, 'RATE_LIMITED', name)
  }
})

const networks: readonly [string, string][] = [
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002::', '2001:db8:1:2::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1', 'fe80:0:0:0::/64'],
  ['1::2:3:4:5:6:7', '1:0:2:3::/64'],
  ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
]
for (const [address, network] of networks) {
  test(`the network of ${address} is ${network}`, () => assert.equal(networkOf(address), network))
}

test('a reload keeps the counts, another name or policy starts anew', async () => {
  const before = host({ policy: policy({ id: 'users' }) })
  const options = { limit: 1, window: '1h' }
  await ask([make(rateLimit, options, before)])
  const refused = async (id: string, more = {}): Promise<boolean> => {
    const house = host({ policy: policy({ id }) }, before)
    return (await ask([make(rateLimit, { ...options, ...more }, house)])).error !== undefined
  }
  assert.equal(await refused('users'), true)
  assert.equal(await refused('users', { name: 'other' }), false)
  assert.equal(await refused('orders'), false)
})

test('a limit that was raised by a reload admits at once', async () => {
  const before = host({ policy: policy() })
  const plugins = [make(rateLimit, { limit: 1, window: '1m' }, before)]
  await ask(plugins)
  assert.equal((await ask(plugins)).error?.reason, 'RATE_LIMITED')
  const raised = [make(rateLimit, { limit: 600, window: '10m' }, host({ policy: policy() }, before))]
  assert.equal((await ask(raised)).error, undefined)
})

test('decisions are counted', async () => {
  const house = host({ policy: policy() })
  const plugins = [make(rateLimit, { limit: 2, window: '1h' }, house)]
  for (let i = 0; i < 5; i++) await ask(plugins)
  const text = await house.metrics.metrics()
  assert.match(text, /gateway_ratelimit_decisions_total\{policy="users-v1:default",decision="allowed"\} 2$/m)
  assert.match(text, /gateway_ratelimit_decisions_total\{policy="users-v1:default",decision="denied"\} 3$/m)
})

const misconfigured: readonly [string, object][] = [
  ['no limit', { window: '1m' }],
  ['a limit of zero', { limit: 0, window: '1m' }],
  ['half a request', { limit: 1.5, window: '1m' }],
  ['a window without a unit', { limit: 1, window: '60' }],
  ['a window of nothing', { limit: 1, window: '0s' }],
  ['more than 1,000 per millisecond', { limit: 1_000_001, window: '1s' }],
  ['a name that would end a header', { limit: 1, window: '1s', name: 'a";q=9' }],
  ['redis where there is none', { limit: 1, window: '1s', store: 'redis' }],
  ['an unknown key', { limit: 1, window: '1s', per: 'ip' }],
]
for (const [name, options] of misconfigured) {
  test(`the configuration is refused: ${name}`, () => assert.throws(() => make(rateLimit, options)))
}

test('the configuration is refused: two limits of one name in one list', () => {
  const options = rateLimit.options.parse({ limit: 1, window: '1s' })
  const use = { name: 'rateLimit', options }
  const house = host({ policy: policy({ plugins: [use, use] }) })
  assert.throws(() => rateLimit.create(options, house), /two rateLimit plugins named "default"/)
})
