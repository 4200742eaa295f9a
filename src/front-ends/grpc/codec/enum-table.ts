import type { DescEnum } from '@bufbuild/protobuf'
import { int32 } from './json-number.ts'
import type { JsonReader } from './json-reader.ts'
import { readText } from './json-string.ts'
import type { JsonWriter } from './json-writer.ts'
import { hashOf, NameTable } from './name-table.ts'

/** What {@link EnumTable.read} gives for a name that is unknown and may be ignored. No int32 is like it. */
export const ignoredName = 0x1_0000_0000

/** The values of one enum, by name and by number. */
export class EnumTable {
  /** The first value declared: what an absent field stands for. */
  readonly first: number
  readonly #desc: DescEnum
  readonly #names: NameTable
  readonly #numbers: ReadonlySet<number>
  /** `"NAME"`, by number. */
  readonly #json = new Map<number, Uint8Array>()
  readonly #isNull: boolean

  constructor(desc: DescEnum, { asNumbers }: { readonly asNumbers: boolean }) {
    this.#desc = desc
    this.first = desc.values[0]?.number ?? 0
    this.#isNull = desc.typeName === 'google.protobuf.NullValue'
    // The name of the proto counts when it is the JSON name of another value.
    const names = desc.values.map(({ name }, i) => [name, i] as const)
    const jsonNames = desc.values.map(({ jsonName }, i) => [jsonName, i] as const)
    this.#names = new NameTable([...names, ...jsonNames])
    this.#numbers = new Set(desc.values.map(({ number }) => number))
    // Of several names for one number the first counts.
    if (!asNumbers)
      for (const { jsonName, number } of [...desc.values].reverse())
        this.#json.set(number, Buffer.from(JSON.stringify(jsonName)))
  }

  /** Reads a name or a number. A closed enum has its own numbers only. */
  read(j: JsonReader): number {
    const at = j.pos
    if (j.bytes[at] === 0x22) {
      readText(j)
      const { source, from, to } = j
      const found = this.#names.find(source, from, to, hashOf(source, from, to))
      if (found >= 0) return this.#desc.values[found]?.number ?? this.first
      if (j.ignoreUnknown) return ignoredName
      throw j.wrong(at, `must be a value of ${this.#desc.typeName}`)
    }
    if (this.#isNull && j.null()) return 0
    const value = int32(j)
    if (!this.#desc.open && !this.#numbers.has(value))
      throw j.wrong(at, `must be a value of ${this.#desc.typeName}`)
    return value
  }

  /** Writes the name; the number when there is no name for it. */
  print(o: JsonWriter, value: number): void {
    if (this.#isNull) {
      o.ascii('null')
      return
    }
    const json = this.#json.get(value)
    if (json === undefined) o.int(value)
    else o.raw(json)
  }

  /** Whether a closed enum has no such value: it is then an unknown field (protobuf.dev, "Enum Behavior"). */
  excludes(value: number): boolean {
    return !this.#desc.open && !this.#numbers.has(value)
  }
}
