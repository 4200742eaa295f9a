import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32c } from '../../src/listener/crc32c.ts'
import { maxProxyHeaderBytes, readProxyHeader } from '../../src/listener/proxy-header.ts'

// Cases are from proxy-protocol.txt of HAProxy (sections 2.1, 2.2 and 2.2.3), by whose words the header is read.

const full = 'ffff:f...f:ffff'.replace('f...f', 'ffff:ffff:ffff:ffff:ffff:ffff')

const lines: readonly [string, string, string | undefined][] = [
  ['the example of section 2.1', 'PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n', '192.168.0.1:56324'],
  [
    'the longest line of TCP4',
    'PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n',
    '255.255.255.255:65535',
  ],
  ['the longest line of TCP6', `PROXY TCP6 ${full} ${full} 65535 65535\r\n`, `${full}:65535`],
  ['the short unknown connection', 'PROXY UNKNOWN\r\n', undefined],
  ['the worst case, of 107 bytes', `PROXY UNKNOWN ${full} ${full} 65535 65535\r\n`, undefined],
  ['port 0', 'PROXY TCP4 192.0.2.1 192.0.2.2 0 0\r\n', '192.0.2.1:0'],
]
for (const [name, text, source] of lines) {
  test(`version 1: ${name}`, () => {
    const bytes = Buffer.from(`${text}GET / HTTP/1.1\r\n`, 'latin1')
    const header = readProxyHeader(bytes)
    assert.equal(header?.bytes, text.length)
    assert.equal(header.source && `${header.source.address}:${header.source.port}`, source)
    for (let i = 1; i < text.length; i++)
      assert.equal(readProxyHeader(bytes.subarray(0, i)), undefined, `${i}`)
  })
}

const badLines: readonly [string, string][] = [
  ['another word', 'GET / HTTP/1.1\r\n'],
  ['lower case', 'proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n'],
  ['another family', 'PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n'],
  ['a family in lower case', 'PROXY tcp4 192.0.2.1 192.0.2.2 1 2\r\n'],
  ['an address of the other family', 'PROXY TCP4 ::1 ::1 1 2\r\n'],
  ['an IPv4 address as TCP6', 'PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n'],
  ['a zone', 'PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n'],
  ['leading zeros in an address', 'PROXY TCP4 192.000.002.001 192.0.2.2 1 2\r\n'],
  ['leading zeros in a port', 'PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n'],
  ['a port above 65535', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n'],
  ['a negative port', 'PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n'],
  ['no ports', 'PROXY TCP4 192.0.2.1 192.0.2.2\r\n'],
  ['two spaces', 'PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n'],
  ['a tab', 'PROXY TCP4\t192.0.2.1 192.0.2.2 1 2\r\n'],
  ['something behind it', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n'],
  ['a space at the end', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n'],
  ['an end without CR', `PROXY TCP4 192.0.2.1 192.0.2.2 1 2\nGET / HTTP/1.1\r\n`],
  ['a CR of its own', 'PROXY UNKNOWN a\rb\r\n'],
  ['108 bytes', `PROXY UNKNOWN ${'a'.repeat(92)}\r\n`],
  ['no end', `PROXY UNKNOWN ${'a'.repeat(93)}`],
  ['no word of the family', 'PROXY\r\n'],
]
for (const [name, text] of badLines) {
  test(`version 1 is refused for ${name}`, () => {
    assert.throws(() => readProxyHeader(Buffer.from(text, 'latin1')))
  })
}

const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')
const ipv4 = Buffer.from([192, 0, 2, 1, 192, 0, 2, 2, 0xdc, 0x04, 0x01, 0xbb])
const ipv6 = Buffer.from(`20010db8${'0'.repeat(23)}1${'0'.repeat(31)}1dc0401bb`, 'hex')

function binary(versionAndCommand: number, family: number, ...parts: Buffer[]): Buffer {
  const rest = Buffer.concat(parts)
  const head = Buffer.from([versionAndCommand, family, rest.length >> 8, rest.length & 255])
  return Buffer.concat([signature, head, rest])
}

function tlv(type: number, value: Buffer | string): Buffer {
  const bytes = Buffer.from(value as string, 'latin1')
  return Buffer.concat([Buffer.from([type, bytes.length >> 8, bytes.length & 255]), bytes])
}

/** Section 2.2.3: over the whole header, with zeros for itself. */
function withChecksum(change = 0): Buffer {
  const header = binary(0x21, 0x11, ipv4, tlv(0x05, 'id'), tlv(0x03, Buffer.alloc(4)), tlv(0x04, 'x'))
  const at = 16 + 12 + 5 + 3
  header.writeUInt32BE((crc32c(header) ^ change) >>> 0, at)
  return header
}

test('the checksum is that of Castagnoli (RFC 3720 appendix B.4)', () => {
  assert.equal(crc32c(Buffer.alloc(32)), 0x8a_91_36_aa)
  assert.equal(crc32c(Buffer.alloc(32, 0xff)), 0x62_a8_ab_43)
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3_06_92_83)
})

const binaries: readonly [string, Buffer, string | undefined][] = [
  ['TCP over IPv4', binary(0x21, 0x11, ipv4), '192.0.2.1 56324'],
  ['TCP over IPv6', binary(0x21, 0x21, ipv6), '2001:db8::1 56324'],
  ['a UNIX stream', binary(0x21, 0x31, Buffer.alloc(216)), undefined],
  ['an unspecified family', binary(0x21, 0x00), undefined],
  ['an unspecified family with more', binary(0x21, 0x00, tlv(0x04, 'x')), undefined],
  ['LOCAL', binary(0x20, 0x00), undefined],
  ['LOCAL with addresses, which are discarded', binary(0x20, 0x11, ipv4), undefined],
  ['LOCAL of a family that there is not', binary(0x20, 0xff, Buffer.alloc(9)), undefined],
  [
    'TLVs, which are skipped',
    binary(0x21, 0x11, ipv4, tlv(0x02, 'shop.example'), tlv(0xee, '')),
    '192.0.2.1 56324',
  ],
  ['a right checksum', withChecksum(), '192.0.2.1 56324'],
  [
    'the most that is read',
    binary(0x21, 0x11, ipv4, tlv(0x04, 'x'.repeat(maxProxyHeaderBytes - 31))),
    '192.0.2.1 56324',
  ],
]
for (const [name, bytes, source] of binaries) {
  test(`version 2: ${name}`, () => {
    const header = readProxyHeader(Buffer.concat([bytes, Buffer.from('GET / HTTP/1.1\r\n')]))
    assert.equal(header?.bytes, bytes.length)
    assert.equal(header.source && `${header.source.address} ${header.source.port}`, source)
    for (let i = 1; i < bytes.length; i++)
      assert.equal(readProxyHeader(bytes.subarray(0, i)), undefined, `${i}`)
  })
}

const badBinaries: readonly [string, Buffer][] = [
  ['another version', binary(0x11, 0x11, ipv4)],
  ['another command', binary(0x22, 0x11, ipv4)],
  ['another family', binary(0x21, 0x41, ipv4)],
  ['another transport', binary(0x21, 0x13, ipv4)],
  ['datagrams', binary(0x21, 0x12, ipv4)],
  ['addresses that are cut', binary(0x21, 0x21, ipv4)],
  ['a TLV that is cut', binary(0x21, 0x11, ipv4, Buffer.from([0x04, 0, 9, 1]))],
  ['a TLV without a length', binary(0x21, 0x11, ipv4, Buffer.from([0x04]))],
  ['a wrong checksum', withChecksum(1)],
  ['a checksum of two bytes', binary(0x21, 0x11, ipv4, tlv(0x03, 'ab'))],
  ['more than is read', binary(0x21, 0x11, ipv4, tlv(0x04, 'x'.repeat(maxProxyHeaderBytes - 30)))],
  [
    'a length of 65535, before the rest is there',
    Buffer.concat([signature, Buffer.from([0x21, 0x11, 255, 255])]),
  ],
  ['a signature with another last byte', Buffer.concat([signature.subarray(0, 11), Buffer.from([0x0b])])],
]
for (const [name, bytes] of badBinaries) {
  test(`version 2 is refused for ${name}`, () => {
    assert.throws(() => readProxyHeader(bytes))
  })
}
