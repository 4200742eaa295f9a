import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HpackDecoder } from '../../../../src/front-ends/grpc/http2/hpack-decoder.ts'
import { ConnectionError } from '../../../../src/front-ends/grpc/http2/protocol.ts'

const limits = { maxListBytes: 65_536, maxFields: 256 }

const get = ':method: GET'
const authority = ':authority: www.example.com'
const requests: readonly (readonly string[])[] = [
  [get, ':scheme: http', ':path: /', authority],
  [get, ':scheme: http', ':path: /', authority, 'cache-control: no-cache'],
  [get, ':scheme: https', ':path: /index.html', authority, 'custom-key: custom-value'],
]
const requestTables = [
  { size: 57, entries: [authority] },
  { size: 110, entries: ['cache-control: no-cache', authority] },
  { size: 164, entries: ['custom-key: custom-value', 'cache-control: no-cache', authority] },
]
const location = 'location: https://www.example.com'
const date = 'date: Mon, 21 Oct 2013 20:13:21 GMT'
const later = 'date: Mon, 21 Oct 2013 20:13:22 GMT'
const cached = 'cache-control: private'
const gzip = 'content-encoding: gzip'
const cookie = 'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'
const answers: readonly (readonly string[])[] = [
  [':status: 302', cached, date, location],
  [':status: 307', cached, date, location],
  [':status: 200', cached, later, location, gzip, cookie],
]
const answerTables = [
  { size: 222, entries: [location, date, cached, ':status: 302'] },
  { size: 222, entries: [':status: 307', location, date, cached] },
  { size: 215, entries: [cookie, gzip, later] },
]

interface Example {
  readonly section: string
  readonly tableBytes: number
  readonly blocks: readonly string[]
  readonly lists: readonly (readonly string[])[]
  readonly tables: readonly { readonly size: number; readonly entries: readonly string[] }[]
}

/** RFC 7541 appendix C. */
const examples: readonly Example[] = [
  {
    section: 'C.2.1',
    tableBytes: 4_096,
    blocks: ['400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572'],
    lists: [['custom-key: custom-header']],
    tables: [{ size: 55, entries: ['custom-key: custom-header'] }],
  },
  {
    section: 'C.2.2',
    tableBytes: 4_096,
    blocks: ['040c 2f73 616d 706c 652f 7061 7468'],
    lists: [[':path: /sample/path']],
    tables: [{ size: 0, entries: [] }],
  },
  {
    section: 'C.2.3',
    tableBytes: 4_096,
    blocks: ['1008 7061 7373 776f 7264 0673 6563 7265 74'],
    lists: [['password: secret']],
    tables: [{ size: 0, entries: [] }],
  },
  {
    section: 'C.2.4',
    tableBytes: 4_096,
    blocks: ['82'],
    lists: [[get]],
    tables: [{ size: 0, entries: [] }],
  },
  {
    section: 'C.3',
    tableBytes: 4_096,
    blocks: [
      '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
      '8286 84be 5808 6e6f 2d63 6163 6865',
      '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
    ],
    lists: requests,
    tables: requestTables,
  },
  {
    section: 'C.4',
    tableBytes: 4_096,
    blocks: [
      '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
      '8286 84be 5886 a8eb 1064 9cbf',
      '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
    ],
    lists: requests,
    tables: requestTables,
  },
  {
    section: 'C.5',
    tableBytes: 256,
    blocks: [
      '4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
      '4803 3330 37c1 c0bf',
      '88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31',
    ],
    lists: answers,
    tables: answerTables,
  },
  {
    section: 'C.6',
    tableBytes: 256,
    blocks: [
      '4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
      '4883 640e ffc1 c0bf',
      '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
    ],
    lists: answers,
    tables: answerTables,
  },
]

for (const { section, tableBytes, blocks, lists, tables } of examples) {
  const decoder = new HpackDecoder(limits, tableBytes)
  for (const [i, block] of blocks.entries()) {
    test(`RFC 7541 ${section}, block ${i + 1}: headers and table are as they should be`, () => {
      const { fields, malformed, tooLarge } = decoder.decode(hex(block))
      assert.deepEqual([lines(fields), malformed, tooLarge], [lists[i], false, false])
      const { size, entries } = decoder.table
      assert.deepEqual({ size, entries: entries.map(({ name, value }) => `${name}: ${value}`) }, tables[i])
    })
  }
}

// C.1: numbers, seen through a size update (5 bits of prefix) and an index (7 bits).
test('RFC 7541 C.1: 10 and 1337 in five bits, 42 in eight', () => {
  const decoder = new HpackDecoder(limits)
  decoder.decode(hex('4001 6101 62'))
  decoder.decode(hex('3f9a 0a'))
  assert.equal(decoder.table.size, 34)
  decoder.decode(hex('2a'))
  assert.equal(decoder.table.size, 0)
  const list = new HpackDecoder(limits).decode(Buffer.concat([hex('0001 612a'), Buffer.alloc(42, 'x')]))
  assert.equal(list.fields[1], 'x'.repeat(42))
})

const bad: readonly [name: string, block: string][] = [
  ['index 0', '80'],
  ['an index beyond the tables', 'be'],
  ['an index far beyond the tables', 'ffff ffff 7f'],
  ['a name index beyond the tables', '7f00 0161'],
  ['a number that does not end', 'ff80 8080 8080 8080'],
  ['a number cut off', 'ff'],
  ['a string that is longer than the block', '0005 6162'],
  ['no string at all', '00'],
  ['a name without a value', '0001 61'],
  ['a table size above the limit', '3fe2 1f'],
  ['a table size after a header', '8220'],
  ['Huffman padding of zeros', '0001 6181 18'],
  ['Huffman padding of eight bits', '0001 6182 1fff'],
  ['the Huffman code EOS', '0001 6184 ffff ffff'],
]
for (const [name, block] of bad) {
  test(`${name} is a COMPRESSION_ERROR`, () => {
    assert.throws(
      () => new HpackDecoder(limits).decode(hex(block)),
      (error) => error instanceof ConnectionError && error.code === 9,
    )
  })
}

const malformed: readonly [name: string, header: string, value: string][] = [
  ['an upper-case name', 'X-A', 'b'],
  ['an empty name', '', 'b'],
  ['a name with a blank', 'x a', 'b'],
  ['a name with a colon inside', 'x:a', 'b'],
  ['a value with a line feed', 'x-a', 'b\nx-c: d'],
  ['a value with a carriage return', 'x-a', 'b\r'],
  ['a value with NUL', 'x-a', 'b\0'],
  ['a value that begins with a blank', 'x-a', ' b'],
  ['a value that ends with a tab', 'x-a', 'b\t'],
]
for (const [name, header, value] of malformed) {
  test(`${name} makes a list malformed, also when it comes from the table`, () => {
    const decoder = new HpackDecoder(limits)
    const block = Buffer.concat([
      Buffer.from([0x40, header.length]),
      Buffer.from(header),
      Buffer.from([value.length]),
      Buffer.from(value),
    ])
    assert.equal(decoder.decode(block).malformed, true)
    assert.equal(decoder.decode(hex('be')).malformed, true)
    assert.equal(decoder.decode(hex('82')).malformed, false)
  })
}

test('a list above the limits is read to its end and not kept', () => {
  const decoder = new HpackDecoder({ maxListBytes: 200, maxFields: 3 })
  const large = decoder.decode(Buffer.concat([hex('0001 617f 65'), Buffer.alloc(228), hex('4001 6201 63')]))
  assert.deepEqual([large.tooLarge, large.fields.length <= 6], [true, true])
  assert.deepEqual(decoder.decode(hex('be')).fields, ['b', 'c'])
  const many = decoder.decode(hex('82828282'))
  assert.deepEqual([many.tooLarge, many.fields.length], [true, 6])
})

test('an entry larger than the table empties it', () => {
  const decoder = new HpackDecoder(limits, 64)
  decoder.decode(hex('4001 6101 62'))
  decoder.decode(Buffer.concat([hex('4001 6164'), Buffer.alloc(100, 'v')]))
  assert.deepEqual([decoder.table.size, decoder.table.entries], [0, []])
})

test('a million indexed references to one large entry cost no memory', () => {
  const decoder = new HpackDecoder(limits)
  decoder.decode(Buffer.concat([hex('4001 617f 81 1e'), Buffer.alloc(4_000 - 32, 'v')]))
  const before = process.memoryUsage().rss
  const { tooLarge } = decoder.decode(Buffer.alloc(1_000_000, 0xbe))
  assert.equal(tooLarge, true)
  assert.ok(process.memoryUsage().rss - before < 32 * 1_048_576)
})

test('random blocks are decoded or refused, never anything else', () => {
  let seed = 1
  const random = (): number => (seed = (seed * 48_271) % 0x7fff_ffff)
  const decoder = new HpackDecoder(limits)
  for (let i = 0; i < 50_000; i++) {
    const block = Buffer.from(Array.from({ length: random() % 40 }, () => random() & 255))
    try {
      decoder.decode(block)
    } catch (error) {
      assert.ok(error instanceof ConnectionError)
    }
  }
})

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex')
}

function lines(fields: readonly string[]): string[] {
  return fields.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${fields[i + 1]}`] : []))
}
