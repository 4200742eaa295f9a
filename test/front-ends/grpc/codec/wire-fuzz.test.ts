import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DescMessage, fromBinary, fromJson, type JsonValue, toBinary, toJson } from '@bufbuild/protobuf'
import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire'
import { many, Random } from './random.ts'
import { randomMessage } from './random-message.ts'
import { codecFor, old, registry, strict, wide } from './wide.ts'

// Random messages, wire to JSON, against @bufbuild/protobuf. Seeds are fixed: a failure names its case. For more of them:
//
//   FUZZ_TIMES=10 npm test -- fuzz

const styles = [
  strict,
  { ...strict, emitDefaults: true },
  { ...strict, protoNames: true, enumsAsNumbers: true },
  { ...strict, emitDefaults: true, protoNames: true },
]
const strictWide = codecFor(wide)
const codecs = new Map([wide, old].map((desc) => [desc, styles.map((style) => codecFor(desc, style))]))

for (const [name, desc, cases] of [
  ['proto2', old, many(1_000)],
  ['proto3', wide, many(4_000)],
] as const) {
  test(`${cases} random messages of ${name} print as by @bufbuild/protobuf`, () => {
    for (let seed = 1; seed <= cases; seed++) {
      const random = new Random(seed)
      const bytes = toBinary(desc, randomMessage(desc, random).message)
      same(desc, bytes, seed)
    }
  })
}

test('random messages whose records are doubled, cut in and out of order print as by @bufbuild/protobuf', () => {
  for (let seed = 1; seed <= many(2_000); seed++) {
    const random = new Random(seed + 1_000_000)
    const desc = random.chance(0.8) ? wide : old
    const records = [0, 1, 2].flatMap(() => recordsOf(toBinary(desc, randomMessage(desc, random).message)))
    // Unknown fields of every wire type.
    records.push(
      Buffer.from(
        new BinaryWriter()
          .tag(9_999, 0)
          .uint32(300)
          .tag(9_999, 1)
          .fixed64(1n)
          .tag(9_999, 2)
          .string('x')
          .tag(9_999, 3)
          .tag(1, 0)
          .uint32(1)
          .tag(9_999, 4)
          .tag(9_999, 5)
          .fixed32(7)
          .finish(),
      ),
    )
    for (let i = records.length - 1; i > 0; i--) {
      const k = random.below(i + 1)
      ;[records[i], records[k]] = [records[k] as Buffer, records[i] as Buffer]
    }
    same(desc, Buffer.concat(records), seed)
  }
})

test('what random faults in messages give is refused by both, or printed alike, or refused for a reason', () => {
  let accepted = 0
  const cases = many(10_000)
  for (let seed = 1; seed <= cases; seed++) {
    const random = new Random(seed + 2_000_000)
    const bytes = Buffer.from(toBinary(wide, randomMessage(wide, random).message))
    const cut = random.chance(0.3) ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes
    for (let i = random.below(3); i >= 0 && cut.length > 0; i--)
      cut[random.below(cut.length)] = random.below(256)
    const mine = attempt(() => strictWide.toJson(cut))
    const theirs = attempt(() => toJson(wide, fromBinary(wide, cut), { registry }))
    if (mine instanceof Error) {
      assert.equal(mine.name, 'WireFault', `seed ${seed}: ${mine.stack}`)
      if (!(theirs instanceof Error))
        assert.match(mine.message, stricter, `seed ${seed} ${cut.toString('hex')} ${JSON.stringify(theirs)}`)
    } else {
      accepted++
      if (theirs instanceof Error)
        assert.match(theirs.message, laxer, `seed ${seed}: ${theirs.stack} ${mine}`)
      else alike(JSON.parse(mine), theirs as JsonValue, `seed ${seed}`)
    }
  }
  assert.ok(accepted > cases / 10, `only ${accepted}`)
})

/** Where @bufbuild/protobuf takes what is no message: wrong wire types, values over the end of what holds them, long varints. */
const stricter = /wire type|cut off|longer than ten bytes|tag that is none|number 0|holds no value/i
/** Where it refuses what is one. */
const laxer = /nothing/

function same(desc: DescMessage, bytes: Uint8Array, seed: number): void {
  const at = seed % styles.length
  const style = styles[at] ?? strict
  const message = fromBinary(desc, bytes)
  const theirs = attempt(() =>
    toJson(desc, message, {
      registry,
      alwaysEmitImplicit: style.emitDefaults,
      useProtoFieldName: style.protoNames,
      enumAsInteger: style.enumsAsNumbers,
    }),
  )
  const mine = attempt(() => codecs.get(desc)?.[at]?.toJson(bytes) ?? '')
  if (theirs instanceof Error || mine instanceof Error) {
    assert.ok(theirs instanceof Error && mine instanceof Error, `seed ${seed}: ${theirs} / ${mine}`)
    return
  }
  const parsed = JSON.parse(mine) as JsonValue
  alike(parsed, theirs, `seed ${seed}`)
  // Floats print shorter than theirs: read again, they are the same bits.
  const again = toBinary(desc, fromJson(desc, parsed, { registry }))
  const expected = toBinary(desc, fromBinary(desc, bytes, { readUnknownFields: false }))
  if (!mine.includes('@type')) assert.equal(hex(again), hex(expected), `seed ${seed}`)
}

/** Equal but for the digits of floats and the sign of zero, which theirs lacks. */
function alike(mine: unknown, theirs: unknown, label: string): void {
  if (typeof mine === 'number' && typeof theirs === 'number') {
    assert.ok(mine === theirs || Math.fround(mine) === theirs, `${label}: ${mine} is not ${theirs}`)
  } else if (typeof mine === 'object' && mine !== null && typeof theirs === 'object' && theirs !== null) {
    assert.deepEqual(Object.keys(mine).sort(), Object.keys(theirs).sort(), label)
    for (const key of Object.keys(mine))
      alike(
        (mine as Record<string, unknown>)[key],
        (theirs as Record<string, unknown>)[key],
        `${label}.${key}`,
      )
  } else assert.equal(mine, theirs, label)
}

/** The top-level fields of a message, tag and value together. */
function recordsOf(bytes: Uint8Array): Buffer[] {
  const reader = new BinaryReader(bytes)
  const records: Buffer[] = []
  while (reader.pos < reader.len) {
    const start = reader.pos
    const [number, type] = reader.tag()
    reader.skip(type, number)
    records.push(Buffer.from(bytes.subarray(start, reader.pos)))
  }
  return records
}

function attempt<T>(run: () => T): T | Error {
  try {
    return run()
  } catch (error) {
    return error as Error
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
