import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RequestHead } from '../../src/core/exchange.ts'
import { networkOf } from '../../src/core/network-of.ts'
import type { Plugin } from '../../src/core/plugin.ts'
import type { Principal } from '../../src/core/principal.ts'
import { compilePartition } from '../../src/plugins/partition.ts'
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

test('several limits in one plugin each tell their own, and a refusal by one costs nothing of the others', async () => {
  const house = host({ policy: policy() })
  house.time = 1_763_000_000_000
  const limits = [
    { name: 'second', limit: 2, window: '10s', algorithm: 'slidingLog' },
    { name: 'day', limit: 100, window: '1d', algorithm: 'fixedWindow', by: 'route' },
  ]
  const plugin = make(rateLimit, { limits, by: 'ip' }, house)
  const seen: string[] = []
  for (let i = 0; i < 4; i++) {
    const { answered } = await ask([plugin])
    seen.push(`${answered?.status} ${values(answered?.headers ?? [], 'RateLimit')}`)
    assert.deepEqual(values(answered?.headers ?? [], 'RateLimit-Policy'), [
      '"second";q=2;w=10, "day";q=100;w=86400',
    ])
  }
  // 1,763,000,000 is 78,400 s before midnight UTC.
  assert.deepEqual(seen, [
    '200 "second";r=1;t=10, "day";r=99;t=78400',
    '200 "second";r=0;t=10, "day";r=98;t=78400',
    '429 "second";r=0;t=10, "day";r=98;t=78400',
    '429 "second";r=0;t=10, "day";r=98;t=78400',
  ])
  const other = await ask([plugin], { request: { clientAddress: '192.0.2.2' } })
  assert.deepEqual(values(other.answered?.headers ?? [], 'RateLimit'), [
    '"second";r=1;t=10, "day";r=97;t=78400',
  ])
  const text = await house.metrics.metrics()
  assert.match(text, /decisions_total\{policy="users-v1:second",decision="denied"\} 2$/m)
  assert.match(text, /decisions_total\{policy="users-v1:day",decision="denied"\} 0$/m)
  assert.match(text, /decisions_total\{policy="users-v1:day",decision="allowed"\} 3$/m)
})

test('of several limits that refuse, the one that takes longest says when to come again', async () => {
  const house = host()
  house.time = 1_763_000_000_000
  const limits = [
    { name: 'hour', limit: 1, window: '1h' },
    { name: 'minute', limit: 1, window: '1m' },
  ]
  const plugin = make(rateLimit, { limits }, house)
  await ask([plugin])
  const { error } = await ask([plugin])
  assert.match(error?.message ?? '', /"hour" of 1 requests/)
  assert.equal(error?.retryAfterMs, 3_600_000)
})

const told: readonly [string, string, string][] = [
  ['tokenBucket', '"n";r=0;t=15', '14.5 s until one more is earned, at one each 30 s'],
  [
    'slidingWindow',
    '"n";r=0;t=55',
    '25 s to the next minute, and half of that until one of two is out of sight',
  ],
  ['slidingLog', '"n";r=0;t=45', 'until the older of the two is a minute old'],
  ['fixedWindow', '"n";r=0;t=25', 'until the minute is over'],
]
for (const [algorithm, expected, why] of told) {
  test(`${algorithm} tells the wait: ${why}`, async () => {
    const house = host()
    const minute = 29_383_334 * 60_000
    const plugin = make(rateLimit, { name: 'n', limit: 2, window: '1m', algorithm }, house)
    house.time = minute + 19_500
    await ask([plugin])
    await ask([plugin])
    house.time = minute + 35_000
    const { answered, error } = await ask([plugin])
    assert.deepEqual(values(answered?.headers ?? [], 'RateLimit'), [expected])
    assert.equal(
      Math.ceil((error?.retryAfterMs ?? 0) / 1_000),
      Number(expected.slice(expected.indexOf('t=') + 2)),
    )
  })
}

test('a reload to a longer fixed window keeps what was counted in it', async () => {
  const before = host({ policy: policy() })
  before.time = 1_763_000_000_000
  await ask([make(rateLimit, { limit: 1, window: '1m', algorithm: 'fixedWindow' }, before)])
  const after = host({ policy: policy() }, before)
  after.time = before.time + 30_000
  const plugin = make(rateLimit, { limit: 1, window: '1d', algorithm: 'fixedWindow' }, after)
  assert.equal((await ask([plugin])).error?.reason, 'RATE_LIMITED')
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
const long = 'x'.repeat(100)
const tenant = (value: string, clientAddress = '192.0.2.1'): Caller => ({
  request: { headers: { 'x-tenant': value }, clientAddress },
})
const member = (id: string, org: string): Caller => ({
  principal: { ...jwt(id), claims: { org: { id: org } } },
})
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
    'a consumer by key and by certificate',
    'user',
    { principal: owner('a') },
    { principal: { ...owner('a'), via: 'certificate' } },
    true,
  ],
  [
    'a consumer by certificate, and a user whom a service outside calls so',
    'user',
    { principal: { ...owner('a'), via: 'certificate' } },
    { principal: { id: 'a', roles: [], scopes: [], via: 'forwardAuth' } },
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
  ['one tenant by header', 'header:X-Tenant', tenant('a', '192.0.2.1'), tenant('a', '192.0.2.2'), true],
  ['two tenants by header', 'header:X-Tenant', tenant('a', '192.0.2.1'), tenant('b', '192.0.2.1'), false],
  ['two long values that begin alike', 'header:X-Tenant', tenant(`${long}a`), tenant(`${long}b`), false],
  ['one long value', 'header:X-Tenant', tenant(long, '192.0.2.1'), tenant(long, '192.0.2.2'), true],
  ['no header, one address', 'header:X-Tenant', {}, { request: { headers: { 'x-tenant': '' } } }, true],
  ['a header that names itself like an address', 'header:X-Tenant', {}, tenant('i:192.0.2.1'), false],
  ['one organisation by claim', 'claim:org.id', member('a', '7'), member('b', '7'), true],
  ['two organisations by claim', 'claim:org.id', member('a', '7'), member('a', '8'), false],
  ['no claim, one address', 'claim:org.id', { principal: jwt('a') }, { principal: jwt('b') }, true],
]
for (const [name, by, first, second, same] of together) {
  test(`${same ? 'counted together' : 'counted apart'}: ${name}`, async () => {
    const plugins = [make(rateLimit, { limit: 1, window: '1h', by })]
    assert.equal((await ask(plugins, first)).error, undefined)
    assert.equal((await ask(plugins, second)).error?.reason, same ? 'RATE_LIMITED' : undefined)
  })
}

test('credentials are counted by their digest: the store of limits may be Redis', () => {
  const place = new Set(['authorization', 'x-my-key'])
  for (const header of ['Authorization', 'X-My-Key', 'Cookie', 'x-tenant']) {
    const by = compilePartition(['route', `header:${header}`], place)
    const x = exchange({ request: { headers: { [header.toLowerCase()]: 's3cret' } } })
    assert.equal(by(x, '').includes('s3cret'), header === 'x-tenant', header)
  }
})

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
  ['a header without a name', { limit: 1, window: '1s', by: 'header:' }],
  ['an unknown `by`', { limit: 1, window: '1s', by: 'colour' }],
  ['a burst of a window', { limit: 1, window: '1s', algorithm: 'fixedWindow', burst: 2 }],
  ['a log of too many', { limit: 10_001, window: '1h', algorithm: 'slidingLog' }],
  ['no window', { limit: 1 }],
  ['no limits', { limits: [] }],
  ['a limit beside limits', { limit: 1, limits: [{ name: 'a', limit: 1, window: '1s' }] }],
  ['a name beside limits', { name: 'b', limits: [{ name: 'a', limit: 1, window: '1s' }] }],
  ['one of limits without a name', { limits: [{ limit: 1, window: '1s' }] }],
  ['one of limits without a window', { limits: [{ name: 'a', limit: 1 }] }],
  [
    'two of limits of one name',
    {
      limits: [
        { name: 'a', limit: 1, window: '1s' },
        { name: 'a', limit: 5, window: '1m' },
      ],
    },
  ],
  ['an unknown key', { limit: 1, window: '1s', per: 'ip' }],
]
for (const [name, options] of misconfigured) {
  test(`the configuration is refused: ${name}`, () => assert.throws(() => make(rateLimit, options)))
}

test('the configuration is refused: two limits of one name in one list', () => {
  const options = rateLimit.options.parse({ limit: 1, window: '1s' })
  const use = { name: 'rateLimit', options }
  const house = host({ policy: policy({ plugins: [use, use] }) })
  assert.throws(() => rateLimit.create(options, house), /two rate limits named "default"/)
})
