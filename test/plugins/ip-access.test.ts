import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AddressRanges } from '../../src/core/address-ranges.ts'
import { ipAccess } from '../../src/plugins/ip-access.ts'
import { exchange, make } from './harness.ts'

async function passes(options: object, clientAddress: string): Promise<boolean> {
  const x = exchange({ plugins: [make(ipAccess, options)], request: { clientAddress } })
  await x.run()
  if (x.error !== undefined) assert.equal(x.error.reason, 'ADDRESS_REFUSED')
  return x.error === undefined
}

const lists: readonly [string, object, string, boolean][] = [
  ['an allowed range', { allow: ['10.0.0.0/8'] }, '10.255.0.1', true],
  ['an address beside an allowed range', { allow: ['10.0.0.0/8'] }, '11.0.0.0', false],
  ['the first address of a denied range', { deny: ['192.0.2.128/25'] }, '192.0.2.128', false],
  ['the last address of a denied range', { deny: ['192.0.2.128/25'] }, '192.0.2.255', false],
  ['the address before a denied range', { deny: ['192.0.2.128/25'] }, '192.0.2.127', true],
  ['deny wins over allow', { allow: ['10.0.0.0/8'], deny: ['10.1.2.3'] }, '10.1.2.3', false],
  ['deny wins over a closer allow', { allow: ['10.1.2.3'], deny: ['10.0.0.0/8'] }, '10.1.2.3', false],
  ['a range written by one of its hosts', { allow: ['10.1.2.3/8'] }, '10.9.9.9', true],
  ['IPv6 by prefix', { allow: ['2001:db8::/32'] }, '2001:db8:ffff::1', true],
  ['IPv6 beside the prefix', { allow: ['2001:db8::/32'] }, '2001:db9::1', false],
  ['IPv6 in another spelling', { deny: ['2001:db8::1'] }, '2001:0DB8:0:0:0:0:0:1', false],
  // RFC 4291 section 2.5.5.2: one IPv4 address, two spellings.
  ['IPv4 mapped into IPv6', { deny: ['10.0.0.1'] }, '::ffff:10.0.0.1', false],
  ['IPv4 mapped into IPv6 in hexadecimal', { deny: ['10.0.0.1'] }, '::ffff:a00:1', false],
  ['IPv4 mapped, written in full', { deny: ['10.0.0.0/8'] }, '0:0:0:0:0:ffff:0a00:0001', false],
  ['a range of mapped addresses', { deny: ['::ffff:10.0.0.0/104'] }, '10.200.0.1', false],
  ['all of IPv6 is nobody of IPv4', { allow: ['::/0'] }, '192.0.2.1', false],
  ['all of IPv6 is nobody of IPv4, mapped', { allow: ['::/0'] }, '::ffff:192.0.2.1', false],
  ['all of IPv4 is nobody of IPv6', { allow: ['0.0.0.0/0'] }, '::1', false],
  // RFC 4291 section 2.5.5.1 and RFC 6052: addresses of their own.
  ['an IPv4-compatible address is none of IPv4', { allow: ['10.0.0.0/8'] }, '::10.0.0.1', false],
  ['an address of NAT64 is none of IPv4', { allow: ['10.0.0.0/8'] }, '64:ff9b::10.0.0.1', false],
  ['a link-local address with a zone', { deny: ['fe80::/10'] }, 'fe80::1%eth0', false],
  ['what is no address is not allowed', { allow: ['0.0.0.0/0', '::/0'] }, '', false],
]
for (const [name, options, address, expected] of lists) {
  test(`${expected ? 'lets pass' : 'refuses'}: ${name}`, async () => {
    assert.equal(await passes(options, address), expected)
  })
}

const refused: readonly [string, object][] = [
  ['no list at all', {}],
  ['empty lists', { allow: [], deny: [] }],
  ['a name', { allow: ['localhost'] }],
  ['leading zeros, which some read as octal', { allow: ['010.0.0.1'] }],
  ['too many bits', { deny: ['10.0.0.0/33'] }],
  ['too many bits of IPv6', { deny: ['::/129'] }],
  ['a range from and to', { deny: ['10.0.0.1-10.0.0.9'] }],
  ['a wildcard', { deny: ['10.0.*.*'] }],
]
for (const [name, options] of refused) {
  test(`the configuration is refused for ${name}`, () => {
    assert.throws(() => make(ipAccess, options))
  })
}

test('thousands of ranges say the same as one after the other', () => {
  const texts = Array.from({ length: 4_096 }, (_, i) => `10.${i >> 4}.${(i & 15) * 16}.0/21`)
  const ranges = new AddressRanges(texts.filter((_, i) => i % 3 === 0))
  for (let i = 0; i < 4_096; i++) {
    const at = (i >> 4) * 65_536 + (i & 15) * 4_096
    for (const [offset, inside] of [
      [0, i % 3 === 0],
      [2_047, i % 3 === 0],
      [2_048, false],
    ] as const) {
      const n = at + offset
      const address = `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`
      assert.equal(ranges.includes(address), inside, address)
    }
  }
})
