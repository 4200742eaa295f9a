import { isRecord } from '../core/is-record.ts'

/** What could not be taken over, and where it stands in the source. */
export interface Note {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

/** An object of somebody else's configuration. Whatever is not asked for is noted by {@link finish}: nothing gets lost without a word. */
export class Reader {
  readonly path: readonly PropertyKey[]
  readonly notes: Note[]
  readonly #value: Readonly<Record<string, unknown>>
  readonly #taken = new Set<string>()

  constructor(value: unknown, path: readonly PropertyKey[] = [], notes: Note[] = []) {
    this.path = path
    this.notes = notes
    this.#value = isRecord(value) ? value : {}
    if (!isRecord(value)) this.note('is not an object')
  }

  has(key: string): boolean {
    return this.#value[key] !== undefined && this.#value[key] !== null
  }

  /** The keys that are there. */
  get keys(): readonly string[] {
    return Object.keys(this.#value).filter((key) => this.has(key))
  }

  /** As it stands. */
  raw(key: string): unknown {
    this.#taken.add(key)
    return this.#value[key] ?? undefined
  }

  /** A number or boolean is taken as it is written. */
  text(key: string): string | undefined {
    const value = this.raw(key)
    if (value === undefined) return undefined
    if (typeof value !== 'object') return String(value)
    this.note('is not a text', key)
    return undefined
  }

  number(key: string): number | undefined {
    const value = this.raw(key)
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
    if (value === undefined || (typeof number === 'number' && Number.isFinite(number)))
      return number as number | undefined
    this.note('is not a number', key)
    return undefined
  }

  flag(key: string): boolean | undefined {
    const value = this.raw(key)
    return value === undefined ? undefined : value === true || value === 'true'
  }

  /** A list, or one text with commas. */
  texts(key: string): readonly string[] {
    const value = this.raw(key)
    if (value === undefined) return []
    const items = Array.isArray(value) ? value : String(value).split(',')
    return items.map((item) => String(item).trim()).filter((item) => item !== '')
  }

  child(key: string): Reader | undefined {
    const value = this.raw(key)
    return value === undefined ? undefined : new Reader(value, [...this.path, key], this.notes)
  }

  children(key: string): readonly Reader[] {
    const value = this.raw(key)
    if (value === undefined) return []
    if (!Array.isArray(value)) this.note('is not a list', key)
    return (Array.isArray(value) ? value : []).map(
      (item, index) => new Reader(item, [...this.path, key, index], this.notes),
    )
  }

  /** What means nothing here, and is not worth a word: labels, times, ids. */
  skip(...keys: readonly string[]): void {
    for (const key of keys) this.#taken.add(key)
  }

  /** Notes something at a key, which counts as taken. */
  note(message: string, key?: string): void {
    if (key !== undefined) this.#taken.add(key)
    this.notes.push({ path: key === undefined ? this.path : [...this.path, key], message })
  }

  /** Notes every key that nobody asked for. */
  finish(): void {
    for (const key of this.keys) if (!this.#taken.has(key)) this.note('is not converted', key)
  }
}
