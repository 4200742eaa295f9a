import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileMatch, type MatchOptions } from '../../../src/traffic/canary/match.ts'
import { exchange } from '../../plugins/harness.ts'

const all: MatchOptions = {
  headers: { 'x-canary': '*' },
  users: ['ada', 'bob'],
  ips: ['10.0.0.0/8', '2001:db8::/32', '192.0.2.7'],
  region: { header: 'x-region', values: ['eu', 'uk'] },
}
const none: MatchOptions = { headers: {}, users: [], ips: [], region: undefined }

interface Client {
  readonly headers?: Readonly<Record<string, string>>
  readonly user?: string
  readonly address?: string
}

/** docs/canary.md, "Who goes where": header, user, address, region, in this order; the first that says something decides. */
const cases: readonly (readonly [
  who: string,
  options: MatchOptions,
  client: Client,
  side?: 'canary' | 'stable',
])[] = [
  ['nobody in particular', all, {}],
  ['whoever sends the header', all, { headers: { 'x-canary': 'yes' } }, 'canary'],
  ['whoever sends it empty', all, { headers: { 'x-canary': '' } }, 'canary'],
  ['whoever sends false', all, { headers: { 'x-canary': 'false' } }, 'stable'],
  ['whoever sends never', all, { headers: { 'x-canary': 'never' } }, 'stable'],
  [
    'a listed user in a listed place who does not want it',
    all,
    { headers: { 'x-canary': 'never', 'x-region': 'eu' }, user: 'ada', address: '10.1.1.1' },
    'stable',
  ],
  ['a listed user', all, { user: 'ada' }, 'canary'],
  ['another user', all, { user: 'eve' }],
  ['an address in a range', all, { address: '10.255.0.1' }, 'canary'],
  ['an address beside it', all, { address: '11.0.0.1' }],
  ['an address that is listed itself', all, { address: '192.0.2.7' }, 'canary'],
  ['the one after it', all, { address: '192.0.2.8' }],
  ['an address of IPv6', all, { address: '2001:db8::1' }, 'canary'],
  ['what is no address', all, { address: '' }],
  ['a region', all, { headers: { 'x-region': 'uk' } }, 'canary'],
  ['another region', all, { headers: { 'x-region': 'us' } }],
  ['a region in another spelling', all, { headers: { 'x-region': 'EU' } }],
  ['anybody where there are no rules', none, { headers: { 'x-canary': 'true' }, user: 'ada' }],
  [
    'one of two headers',
    { ...none, headers: { 'x-team': 'qa', 'x-build': '*' } },
    { headers: { 'x-team': 'qa' } },
  ],
  [
    'both of two headers',
    { ...none, headers: { 'x-team': 'qa', 'x-build': '*' } },
    { headers: { 'x-team': 'qa', 'x-build': '7' } },
    'canary',
  ],
  ['another value', { ...none, headers: { 'x-team': 'qa' } }, { headers: { 'x-team': 'dev' } }],
  [
    'never, where a value is asked for',
    { ...all, headers: { 'x-canary': 'always' } },
    { headers: { 'x-canary': 'never' } },
    'stable',
  ],
]

for (const [who, options, { headers = {}, user, address = '203.0.113.1' }, side] of cases) {
  test(`${who}: ${side ?? 'left to the percentage'}`, () => {
    const x = exchange({ request: { headers, clientAddress: address } })
    if (user !== undefined) x.principal = { id: user, roles: [], scopes: [], via: 'jwt' }
    assert.equal(compileMatch(options)(x), side)
  })
}
