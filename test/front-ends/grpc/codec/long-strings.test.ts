import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatewayError } from '../../../../src/core/error.ts'
import { codecFor, wide } from './wide.ts'

// Strings are read byte by byte at first and then four bytes at a time: everything that can be in one, at every place around where the
// way changes, and around the lengths whose own length takes a byte more. JSON.parse says what a string is and what it means.

const codec = codecFor(wide)
const lengths = [...Array.from({ length: 80 }, (_, i) => i), 120, ...around(127), 200, ...around(16_383)]

test('strings of every length, plain and behind other text, mean what JSON.parse says', () => {
  for (const length of lengths) for (const char of ['a', 'ü', '€', '🎉']) taken(`"${char.repeat(length)}"`)
})

const pieces = [
  '\\"',
  '\\\\',
  '\\/',
  '\\b\\f\\n\\r\\t',
  '\\u0000',
  '\\u007f',
  '\\u0080',
  '\\u07FF',
  '\\u0800',
  '\\uffff',
  '\\ud800\\udc00',
  '\\uDBFF\\uDFFF',
  'ÿ',
  '\u007f',
  '🎉\\n🎉',
  '\\\\\\"x\\n',
]
for (const piece of pieces) {
  test(`${JSON.stringify(piece)} is understood at every place of a string`, () => {
    for (const before of lengths) for (let after = 0; after < 9; after++) taken(inside(piece, before, after))
  })
}

const faults: readonly [what: string, piece: string][] = [
  ...Array.from({ length: 0x20 }, (_, byte): [string, string] => [
    `control character ${byte}`,
    String.fromCharCode(byte),
  ]),
  ['an unknown escape', '\\x'],
  ['an escape in capitals', '\\N'],
  ['an escape of three digits', '\\u123z'],
  ['an escape with a wrong digit', '\\u12g4'],
  ['an escape with a control character in it', '\\u00\u001100'],
]
for (const [what, piece] of faults) {
  test(`${what} is refused where it stands, at every place of a string`, () => {
    const at = piece.startsWith('\\') ? 'there is no such escape' : 'a string goes over the end of its line'
    for (const before of lengths)
      for (let after = 0; after < 9; after++) {
        const text = inside(piece, before, after)
        assert.throws(() => JSON.parse(text))
        refused(
          text,
          `The body is not valid JSON at byte ${prefix.length + 1 + before}, in "aString": ${at}.`,
        )
      }
  })
}

test('half of a surrogate pair is refused at every place of a string, but a fault of the text before it', () => {
  for (const half of ['\\ud800', '\\udfff', '\\ud800x', '\\ud800\\n', '\\ud800\\u0041', '\\ud800\\ud800'])
    for (const before of lengths) {
      refused(
        inside(half, before, 5),
        'The body does not fit: "aString" must be valid Unicode: it has half of a surrogate pair.',
      )
      const at = prefix.length + 1 + before + half.length
      refused(
        inside(`${half}\n`, before, 5),
        `The body is not valid JSON at byte ${at}, in "aString": a string goes over the end of its line.`,
      )
    }
})

test('a string without an end is refused where the text ends', () => {
  for (const before of lengths)
    for (const piece of ['', 'ü', '\\"', '\\n'])
      assert.throws(
        () => codec.fromJson(`${prefix}"${'a'.repeat(before)}${piece}`),
        (error: GatewayError) =>
          error.message.includes(
            `at byte ${prefix.length + 1 + before + Buffer.byteLength(piece)}, in "aString": it ends too early`,
          ),
      )
})

test('texts that are part of a larger piece of memory are read from where they begin', () => {
  for (let offset = 0; offset < 9; offset++) {
    const text = `{"aString":"${'a'.repeat(50)}\\n${'b'.repeat(50)}"}`
    const memory = Buffer.from(`${'"'.repeat(offset)}${text}""""""`)
    const json = memory.subarray(offset, offset + text.length)
    assert.equal(codec.toJson(codec.fromJson(json)), text)
    assert.throws(() => codec.fromJson(json.subarray(0, -2)), /it ends too early/)
  }
})

test('names, bytes and what is passed over may be long and escaped too', () => {
  const lax = codecFor(wide, { ignoreUnknown: true })
  for (const length of lengths) {
    const plain = 'a'.repeat(length)
    assert.equal(
      lax.toJson(lax.fromJson(`{"nope${plain}\\"":"${plain}\\\\\\"","aString":"x"}`)),
      '{"aString":"x"}',
    )
    const base64 = Buffer.alloc(length, 'some bytes').toString('base64')
    const json = `{"aBytes":"${base64}"}`
    const printed = length === 0 ? '{}' : json
    assert.equal(codec.toJson(codec.fromJson(json)), printed)
    assert.equal(codec.toJson(codec.fromJson(json.replace(/(?<=:")[^"]/, unicode))), printed)
    const map = `{"stringMap":{"${plain}\\n":"1","${plain}\\r":"2"}}`
    assert.equal(codec.toJson(codec.fromJson(map)), map)
  }
})

/** Blanks: in a small text the way changes later. */
const prefix = `${' '.repeat(1_024)}{"aString":`

function taken(text: string): void {
  const value: unknown = JSON.parse(text)
  const printed = codec.toJson(codec.fromJson(`${prefix}${text},"strings":[${text}]}`))
  assert.deepEqual(
    JSON.parse(printed),
    value === '' ? { strings: [''] } : { aString: value, strings: [value] },
  )
}

function refused(text: string, message: string): void {
  assert.throws(
    () => codec.fromJson(`${prefix}${text}}`),
    (error) => {
      assert.ok(error instanceof GatewayError)
      assert.equal(error.message, message)
      return true
    },
  )
}

function inside(piece: string, before: number, after: number): string {
  return `"${'a'.repeat(before)}${piece}${'b'.repeat(after)}"`
}

function around(length: number): number[] {
  return [length - 1, length, length + 1, length + 2]
}

function unicode(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
}
