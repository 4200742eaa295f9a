import { create, type DescField, type DescMessage, ScalarType, toBinary } from '@bufbuild/protobuf'
import { type ReflectMessage, reflect } from '@bufbuild/protobuf/reflect'
import type { Random } from './random.ts'
import { registry, wide } from './wide.ts'

/** The wire bytes of a random message; every kind of value comes, valid by all rules of ProtoJSON. */
export function randomMessage(desc: DescMessage, random: Random, depth = 0): ReflectMessage {
  const message = reflect(desc, create(desc))
  const special = wellKnown[desc.typeName]
  if (special !== undefined) {
    special(message, random, depth)
    return message
  }
  const { fields } = desc
  const count = depth === 0 ? 1 + random.below(8) : random.below(4)
  const chosen = Array.from({ length: Math.min(count, fields.length) }, () => random.pick(fields))
  const required = fields.filter((field) => field.presence === 3)
  for (const field of [...chosen, ...required]) {
    if (depth > 3 && field.message !== undefined) continue
    setRandom(message, field, random, depth)
  }
  return message
}

function setRandom(message: ReflectMessage, field: DescField, random: Random, depth: number): void {
  if (field.fieldKind === 'list') {
    const list = message.get(field)
    for (let i = random.below(4); i >= 0; i--) list.add(randomValue(field, random, depth))
  } else if (field.fieldKind === 'map') {
    const map = message.get(field)
    for (let i = random.below(4); i >= 0; i--) {
      map.set(randomKey(field.mapKey, random) as never, randomValue(field, random, depth))
    }
  } else message.set(field, randomValue(field, random, depth))
}

function randomValue(field: DescField, random: Random, depth: number): unknown {
  if (field.message !== undefined) return randomMessage(field.message, random, depth + 1)
  if (field.enum !== undefined) {
    const { open, values } = field.enum
    return open && values.length > 1 && random.chance(0.2)
      ? Number(random.bits(32)) | 0
      : random.pick(values).number
  }
  return randomScalar(field.scalar ?? ScalarType.STRING, random)
}

/** Many values at the edges. */
export function randomScalar(type: ScalarType, random: Random): unknown {
  const edge = random.chance(0.3)
  switch (type) {
    case ScalarType.STRING:
      return randomText(random)
    case ScalarType.BYTES:
      return Uint8Array.from({ length: random.below(20) }, () => random.below(256))
    case ScalarType.BOOL:
      return random.chance(0.5)
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return edge ? random.pick([0, 1, -1, 0x7fff_ffff, -0x8000_0000, 127, 128]) : Number(random.bits(32)) | 0
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return edge ? random.pick([0, 1, 0xffff_ffff, 0x8000_0000]) : Number(random.bits(random.below(32) + 1))
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return edge
        ? random.pick([0n, 2n ** 64n - 1n, 2n ** 53n + 1n, 2n ** 63n])
        : random.bits(random.below(64) + 1)
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return edge
        ? random.pick([0n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 32n])
        : BigInt.asIntN(64, random.bits(64)) >> BigInt(random.below(64))
    case ScalarType.FLOAT:
      return Math.fround(randomDouble(random))
    default:
      return randomDouble(random)
  }
}

function randomDouble(random: Random): number {
  if (random.chance(0.2))
    return random.pick([
      0,
      -0,
      1,
      -1,
      Number.NaN,
      Infinity,
      -Infinity,
      5e-324,
      1.5,
      0.1,
      1e21,
      16777217,
      1e-7,
    ])
  if (random.chance(0.3)) return random.below(2_000_000) / random.pick([1, 10, 100, 1000])
  return (random.next() - 0.5) * 10 ** (random.below(60) - 30)
}

export function randomText(random: Random): string {
  const parts = [
    'a',
    'Z',
    '7',
    ' ',
    '"',
    '\\',
    '/',
    '\n',
    '\t',
    '\u0000',
    '\u001f',
    '\u007f',
    'ü',
    '€',
    '🎉',
    '\u2028',
    '__proto__',
    'x'.repeat(60),
    '\ufeff',
  ]
  return Array.from({ length: random.below(6) }, () => random.pick(parts)).join('')
}

/**
 * V8 13.6 (Node 24): after JSON.parse('{"a\\\\":1}'), JSON.parse('{"a\\n":1}') gives the key `a\\`. These tests parse what they compare.
 */
function randomKey(type: ScalarType, random: Random): unknown {
  const key = randomScalar(type, random)
  return typeof key === 'string' ? key.replaceAll('\\', '') : key
}

type Fill = (message: ReflectMessage, random: Random, depth: number) => void

const secondsAndNanos =
  (limit: number, signed: boolean): Fill =>
  (message, random) => {
    const sign = signed && random.chance(0.5) ? -1 : 1
    const seconds = random.chance(0.2) ? 0 : random.below(limit) * sign
    const nanos = random.pick([0, 1, 500_000_000, 123_456_000, 999_999_999]) * (signed ? sign : 1)
    setByName(message, 'seconds', BigInt(seconds))
    setByName(message, 'nanos', nanos)
  }

const wellKnown: Readonly<Record<string, Fill | undefined>> = {
  'google.protobuf.Timestamp': (message, random, depth) => {
    secondsAndNanos(253_402_300_799, false)(message, random, depth)
    if (random.chance(0.3)) setByName(message, 'seconds', BigInt(-random.below(62_135_596_800)))
  },
  'google.protobuf.Duration': secondsAndNanos(315_576_000_000, true),
  'google.protobuf.FieldMask': (message, random) => {
    const list = message.get(fieldNamed(message, 'paths')) as { add(item: string): void }
    for (let i = random.below(3); i > 0; i--) list.add(random.pick(['a', 'some_name', 'a.b_c', 'x1']))
  },
  'google.protobuf.Value': (message, random, depth) => {
    const kinds = message.desc.fields.filter((field) => depth < 5 || field.message === undefined)
    const field = random.pick(kinds)
    if (field.name === 'number_value') message.set(field, random.pick([0, -1.5, 1e21, 3]))
    else if (field.enum !== undefined) message.set(field, 0)
    else message.set(field, randomValue(field, random, depth))
  },
  'google.protobuf.Any': (message, random, depth) => {
    if (random.chance(0.1)) return
    const names = [
      'google.protobuf.Timestamp',
      'google.protobuf.Int64Value',
      'google.protobuf.Struct',
      'google.protobuf.Empty',
    ]
    const desc =
      depth > 2
        ? registry.getMessage(random.pick(names))
        : random.chance(0.5)
          ? wide
          : registry.getMessage(random.pick(names))
    if (desc === undefined) return
    setByName(message, 'type_url', `type.googleapis.com/${desc.typeName}`)
    setByName(message, 'value', toBinary(desc, randomMessage(desc, random, depth + 1).message))
  },
}

function fieldNamed({ desc }: ReflectMessage, name: string): DescField {
  const field = desc.fields.find((one) => one.name === name)
  if (field === undefined) throw new Error(`no ${name} in ${desc.typeName}`)
  return field
}

function setByName(message: ReflectMessage, name: string, value: unknown): void {
  message.set(fieldNamed(message, name), value)
}
