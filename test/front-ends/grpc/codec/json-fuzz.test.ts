import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type DescMessage,
  fromBinary,
  fromJson,
  fromJsonString,
  toBinary,
  toJsonString,
} from '@bufbuild/protobuf'
import { GatewayError } from '../../../../src/core/error.ts'
import { parseExactly } from '../../../../src/front-ends/grpc/exact-json.ts'
import { many, Random } from './random.ts'
import { JsonMaker } from './random-json.ts'
import { codecFor, old, registry, wide } from './wide.ts'

// Random JSON, to the wire, against @bufbuild/protobuf. Seeds are fixed: a failure names its case. For more of them:
//
//   FUZZ_TIMES=10 npm test -- fuzz

const codecs = new Map(
  [wide, old].map((desc) => [desc, [false, true].map((ignoreUnknown) => codecFor(desc, { ignoreUnknown }))]),
)

test('random JSON texts without faults are taken as by @bufbuild/protobuf', () => {
  for (let seed = 1; seed <= many(4_000); seed++) {
    const random = new Random(seed)
    const desc = random.chance(0.8) ? wide : old
    const text = new JsonMaker(random, 0).message(desc)
    const mine = read(desc, text, false)
    const theirs = reference(desc, text, false)
    if (mine instanceof Error || theirs instanceof Error)
      assert.fail(`seed ${seed}: ${mine} / ${theirs}\n${text}`)
    same(desc, mine, theirs, `seed ${seed}: ${text}`)
  }
})

test('random JSON texts with faults are judged as by @bufbuild/protobuf', () => {
  const counts = judge(many(4_000), 10_000_000, (random, desc) => new JsonMaker(random, 0.04).message(desc))
  assert.ok(counts.refused > many(600) && counts.accepted > many(600), JSON.stringify(counts))
})

test('random changes of JSON texts are judged as by @bufbuild/protobuf', () => {
  const counts = judge(many(10_000), 20_000_000, (random, desc) => {
    let text = new JsonMaker(random, 0).message(desc)
    for (let i = random.below(2); i >= 0; i--) {
      const at = random.below(text.length)
      const end = at + random.below(3)
      text =
        text.slice(0, at) +
        random.pick([
          '',
          '"',
          '{',
          '}',
          '[',
          ',',
          ':',
          '\\',
          '1',
          '-',
          'e',
          '.',
          'null',
          ' ',
          '\u0000',
          'u',
        ]) +
        text.slice(end)
    }
    return text.toWellFormed()
  })
  assert.ok(counts.refused > many(3_000) && counts.accepted > many(600), JSON.stringify(counts))
})

/**
 * Where @bufbuild/protobuf is laxer than the specification, by what the codec says. All have tests by hand in lax.test.ts: numbers in
 * quotes are read as JavaScript reads them, base64 with blanks and padding inside, times that there are not, and so on.
 */
const stricter = [
  /must be a number$/,
  /must be an integer(, without a fraction)?$/,
  /must be base64/,
  /must be a time in RFC 3339/,
  /must be a duration/,
  /must be valid Unicode/,
  /is out of range for a double/,
  /"value"/,
  /there is no such field/,
]

/**
 * Where it is stricter: 64-bit integers in quotes with a fraction or an exponent, which ProtoJSON allows for all integers, and a null
 * beside another member of a oneof.
 */
const laxer = /expected bigint \(u?int64\).*[.eE].* out of range|oneof set multiple times/

function judge(
  cases: number,
  firstSeed: number,
  make: (random: Random, desc: DescMessage) => string,
): { accepted: number; refused: number; stricter: number } {
  const counts = { accepted: 0, refused: 0, stricter: 0 }
  for (let i = 1; i <= cases; i++) {
    const random = new Random(firstSeed + i)
    const desc = random.chance(0.8) ? wide : old
    const text = make(random, desc)
    const ignoreUnknown = random.chance(0.3)
    const mine = read(desc, text, ignoreUnknown)
    const theirs = reference(desc, text, ignoreUnknown)
    if (mine instanceof Error) {
      counts.refused++
      if (theirs instanceof Error) continue
      counts.stricter++
      const detail = mine instanceof GatewayError ? (mine.violations[0]?.detail ?? '') : `${mine.stack}`
      assert.ok(
        stricter.some((one) => one.test(detail)),
        `case ${i}: ${detail}\n${text}`,
      )
    } else {
      counts.accepted++
      if (theirs instanceof Error)
        assert.match(theirs.message, laxer, `case ${i}: ${theirs.message}\n${text}`)
      // JSON.parse rounds, and what it gives shows no digits to be put right.
      else if (!/\d{13,}[eE]/.test(text)) same(desc, mine, theirs, `case ${i}: ${text}`)
    }
  }
  return counts
}

/** Fields come in the order of the JSON, theirs in the order of their numbers: both are put in order. */
function same(desc: DescMessage, mine: Uint8Array, theirs: Uint8Array, label: string): void {
  if (label.includes('@type')) assert.equal(printed(desc, mine), printed(desc, theirs), label)
  else assert.equal(ordered(desc, mine), ordered(desc, theirs), label)
}

/** Inside an Any only this knows the fields. */
function printed(desc: DescMessage, bytes: Uint8Array): string {
  const text = toJsonString(desc, fromBinary(desc, bytes), { registry })
  // The URL stays as it was sent; @bufbuild/protobuf makes it type.googleapis.com.
  return text.replaceAll(/"@type":"[^"]*\//g, '"@type":"')
}

function ordered(desc: DescMessage, bytes: Uint8Array): string {
  const message = fromBinary(desc, bytes)
  assert.equal(message.$unknown, undefined)
  return Buffer.from(toBinary(desc, message)).toString('hex')
}

function read(desc: DescMessage, text: string, ignoreUnknown: boolean): Uint8Array | Error {
  try {
    const codec = codecs.get(desc)?.[ignoreUnknown ? 1 : 0]
    return codec?.fromJson(Buffer.from(text)) ?? new Error('no codec')
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    return error
  }
}

function reference(desc: DescMessage, text: string, ignoreUnknown: boolean): Uint8Array | Error {
  const options = { registry, ignoreUnknownFields: ignoreUnknown }
  try {
    try {
      fromJsonString(desc, text, options)
    } catch (error) {
      // Only this: its other judgements are those of JSON.parse, which rounds.
      if (/duplicate object key/.test(String(error))) throw error
    }
    return toBinary(desc, fromJson(desc, parseExactly(text, { message: desc, field: undefined }), options))
  } catch (error) {
    return error as Error
  }
}
