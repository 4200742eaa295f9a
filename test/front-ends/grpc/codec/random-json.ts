import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf'
import type { Random } from './random.ts'
import { randomScalar, randomText } from './random-message.ts'
import { messageNamed, wide } from './wide.ts'

/**
 * Random JSON for a message, written in all the ways that ProtoJSON allows, and with `faults` (a probability for each value) in ways
 * that it does not. Forms that @bufbuild/protobuf is known to judge otherwise are left out: they have tests of their own.
 */
export class JsonMaker {
  readonly #random: Random
  readonly #faults: number
  /** The reference rounds large numbers without quotes there. */
  #insideAny = false

  constructor(random: Random, faults: number) {
    this.#random = random
    this.#faults = faults
  }

  message(desc: DescMessage, depth = 0): string {
    const random = this.#random
    if (random.chance(this.#faults)) return this.#wrong()
    const special = this.#wellKnown(desc, depth)
    if (special !== undefined) return special
    return this.#object(this.#members(desc, depth))
  }

  #members(desc: DescMessage, depth: number): string[] {
    const random = this.#random
    const fields = new Set(
      desc.fields.filter(({ presence }) => presence === 3 && !random.chance(this.#faults)),
    )
    for (let i = depth === 0 ? 6 : 2; i > 0 && desc.fields.length > 0; i--)
      fields.add(random.pick(desc.fields))
    const taken = new Set<unknown>()
    const members: string[] = []
    for (const field of fields) {
      if (depth > 3 && field.message !== undefined) continue
      if (field.oneof !== undefined && taken.has(field.oneof) && !random.chance(this.#faults)) continue
      taken.add(field.oneof)
      members.push(this.#member(random.chance(0.3) ? field.name : field.jsonName, this.#field(field, depth)))
    }
    if (random.chance(this.#faults / 2)) members.push(this.#member('nope', '1'))
    if (random.chance(this.#faults / 2) && members.length > 0) members.push(members[0] ?? '')
    return members
  }

  #field(field: DescField, depth: number): string {
    const random = this.#random
    // As a member of a oneof a null counts for @bufbuild/protobuf, but not by the specification.
    if (random.chance(0.05) && field.oneof === undefined && field.presence !== 3) return 'null'
    if (field.fieldKind === 'list')
      return `[${Array.from({ length: random.below(4) }, () => this.#value(field, depth)).join(this.#comma())}]`
    if (field.fieldKind !== 'map') return this.#value(field, depth)
    const keys = Array.from({ length: random.below(4) }, () => String(randomScalar(field.mapKey, random)))
    const members = distinct(keys).map((key) => this.#member(key, this.#value(field, depth)))
    return this.#object(members)
  }

  #value(field: DescField, depth: number): string {
    const random = this.#random
    if (random.chance(this.#faults)) return this.#wrong()
    if (field.message !== undefined) return this.message(field.message, depth + 1)
    if (field.enum === undefined) return this.#scalar(field.scalar ?? ScalarType.STRING)
    if (field.enum.typeName === 'google.protobuf.NullValue') return random.pick(['null', '"NULL_VALUE"', '0'])
    const { name, number } = random.pick(field.enum.values)
    return random.chance(0.7) ? JSON.stringify(name) : random.pick([`${number}`, `${number}.0`])
  }

  #scalar(type: ScalarType): string {
    const random = this.#random
    const value = randomScalar(type, random)
    switch (type) {
      case ScalarType.STRING:
        return this.#string(String(value))
      case ScalarType.BYTES: {
        const bytes = Buffer.from(value as Uint8Array)
        const text = bytes.toString(random.chance(0.3) ? 'base64url' : 'base64')
        return this.#string(random.chance(0.2) ? text.replaceAll('=', '') : text)
      }
      case ScalarType.BOOL:
        return String(value)
      case ScalarType.FLOAT:
      case ScalarType.DOUBLE: {
        const number = value as number
        if (!Number.isFinite(number)) return `"${number}"`
        const shown = random.pick([String(number), number.toExponential(), number.toPrecision(17)])
        return random.chance(0.2) ? `"${shown}"` : shown
      }
      default: {
        const shown = String(value)
        if (random.chance(0.4) || (this.#insideAny && shown.length > 14)) return `"${shown}"`
        // Not for 16 digits or more, where JSON.parse rounds before anyone can look.
        return random.chance(0.2) && shown.length < 14 && shown !== '0'
          ? random.pick([`${shown}.0`, `${shown}e0`, `${shown}0e-1`])
          : shown
      }
    }
  }

  #wellKnown(desc: DescMessage, depth: number): string | undefined {
    const random = this.#random
    const two = (limit: number, first = 0): string => String(random.below(limit) + first).padStart(2, '0')
    switch (desc.typeName) {
      case 'google.protobuf.Timestamp': {
        const year = String(random.below(9_998) + 1).padStart(4, '0')
        const zone = random.pick(['Z', '+00:00', `-${two(24)}:${two(60)}`, `+${two(24)}:${two(60)}`])
        return `"${year}-${two(12, 1)}-${two(28, 1)}T${two(24)}:${two(60)}:${two(60)}${this.#fraction()}${zone}"`
      }
      case 'google.protobuf.Duration':
        return `"${random.pick(['', '-'])}${random.below(10 ** random.below(12))}${this.#fraction()}s"`
      case 'google.protobuf.FieldMask':
        return random.pick([
          '""',
          '"a"',
          '"a,bC.dE"',
          '"someName"',
          ...(random.chance(this.#faults) ? ['"a_b"'] : []),
        ])
      case 'google.protobuf.Struct':
        return this.#object(this.#free(depth))
      case 'google.protobuf.ListValue':
        return `[${this.#free(depth)
          .map(() => this.#any(depth + 1))
          .join(this.#comma())}]`
      case 'google.protobuf.Value':
        return this.#any(depth)
      case 'google.protobuf.Any': {
        if (random.chance(0.1)) return '{}'
        this.#insideAny = true
        if (random.chance(this.#faults))
          return this.#object([this.#member('@type', '"type.googleapis.com/no.Such"')])
        const inner = random.pick([
          wide,
          messageNamed('google.protobuf.Duration'),
          messageNamed('google.protobuf.Int32Value'),
        ])
        const type = this.#member('@type', `"type.googleapis.com/${inner.typeName}"`)
        const rest =
          inner === wide
            ? this.#members(wide, depth + 2)
            : [this.#member('value', this.message(inner, depth + 2))]
        return this.#object(random.chance(0.5) ? [type, ...rest] : [...rest, type])
      }
    }
    const [value] = desc.fields
    return /^google\.protobuf\.\w+Value$/.test(desc.typeName) && value?.scalar !== undefined
      ? this.#scalar(value.scalar)
      : undefined
  }

  #free(depth: number): string[] {
    const keys = Array.from({ length: this.#random.below(3) }, () => randomText(this.#random))
    return distinct(keys).map((key) => this.#member(key, this.#any(depth + 1)))
  }

  #any(depth: number): string {
    const random = this.#random
    const simple = ['null', 'true', 'false', '0', '-1.5', '1e3', this.#string(randomText(random))]
    if (depth > 4 || random.chance(0.6)) return random.pick(simple)
    return random.chance(0.5) ? `[${this.#any(depth + 1)}]` : this.#object(this.#free(depth + 1))
  }

  #fraction(): string {
    const random = this.#random
    return random.chance(0.5)
      ? ''
      : `.${String(random.below(1_000_000_000))
          .padStart(9, '0')
          .slice(0, 1 + random.below(9))}`
  }

  /** Escapes of all kinds. */
  #string(text: string): string {
    const random = this.#random
    const plain = JSON.stringify(text)
    if (!random.chance(0.2)) return plain
    return `"${[...text].map((char) => (random.chance(0.5) ? hexEscape(char) : JSON.stringify(char).slice(1, -1).replace('/', '\\/'))).join('')}"`
  }

  #member(name: string, value: string): string {
    return `${JSON.stringify(name)}${this.#blank()}:${this.#blank()}${value}`
  }

  #object(members: readonly string[]): string {
    return `{${this.#blank()}${members.join(this.#comma())}${this.#blank()}}`
  }

  #comma(): string {
    return `${this.#blank()},${this.#blank()}`
  }

  #blank(): string {
    return this.#random.pick(['', '', '', ' ', '\n\t', '\r'])
  }

  #wrong(): string {
    return this.#random.pick([
      'null',
      'true',
      '{}',
      '[]',
      '1.5',
      '-1',
      '"x"',
      '""',
      '1e40',
      '"NaN"',
      '[[]]',
      '{"a":1}',
      '99999999999',
      '"99999999999999999999"',
      '4294967296',
    ])
  }
}

function hexEscape(char: string): string {
  return Array.from(
    { length: char.length },
    (_, i) => `\\u${char.charCodeAt(i).toString(16).padStart(4, '0')}`,
  ).join('')
}

/** Without backslashes, for the reason that random-message.ts gives. */
function distinct(keys: readonly string[]): string[] {
  return [...new Set(keys.map((key) => key.replaceAll('\\', '')))]
}
