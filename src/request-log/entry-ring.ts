import type { LogEntry } from './log-entry.ts'
import { type RecordPlace, readRecord } from './read-record.ts'

/** What is known of an entry without reading its text. */
export interface EntryHead {
  readonly at: number
  readonly durationMs: number
  readonly status: number
  /** Whether a server is to blame: the gateway or a backend. */
  readonly failed: boolean
  /** Whether it went on for as long as its sides liked, so that its time says nothing. */
  readonly lasting: boolean
  readonly place: RecordPlace
}

export interface RingOptions {
  /** Entries at the most. */
  readonly entries: number
  /** Bytes of text at the most, of all entries together. */
  readonly bytes: number
  /** The gateway that they are of. */
  readonly node: string
}

/**
 * The latest entries, each with a number that counts up from 0: those from {@link first} on, before {@link next}. All of its memory is taken with the first
 * entry and never grows: numbers are in arrays, texts as bytes in one buffer behind each other, and a new entry takes the room of
 * the oldest. Nothing of it is a young object that lasts, which the collector of garbage would have to move.
 */
export class EntryRing {
  readonly #entries: number
  readonly #bytes: number
  readonly #node: string
  #columns: Columns | undefined
  #first = 0
  #next = 0
  /** Where in the text the next entry begins. */
  #head = 0
  #latestAt = 0

  constructor({ entries, bytes, node }: RingOptions) {
    this.#entries = entries
    this.#bytes = bytes
    this.#node = node
  }

  get first(): number {
    return this.#first
  }

  get next(): number {
    return this.#next
  }

  add(text: string, { at, durationMs, status, failed, lasting, place }: EntryHead): void {
    this.#columns ??= makeColumns(this.#entries, this.#bytes)
    const columns = this.#columns
    // UTF-8 needs three bytes at the most for each unit of a JavaScript string.
    this.#makeRoom(columns, text.length * 3)
    const i = this.#next % this.#entries
    const length = columns.text.write(text, this.#head)
    // A clock that is set back must not bring the entries out of their order.
    if (at > this.#latestAt) this.#latestAt = at
    columns.at[i] = this.#latestAt
    columns.durationMs[i] = durationMs
    columns.status[i] = status
    columns.flags[i] = (failed ? failedFlag : 0) | (lasting ? lastingFlag : 0)
    columns.place[i] = place
    columns.offset[i] = this.#head
    columns.length[i] = length
    this.#head += length
    this.#next++
  }

  /** Of an entry that is there. */
  head(number: number): EntryHead {
    const { at, durationMs, status, flags, place } = this.#there(number)
    const i = number % this.#entries
    return {
      at: at[i] as number,
      durationMs: durationMs[i] as number,
      status: status[i] as number,
      failed: ((flags[i] as number) & failedFlag) !== 0,
      lasting: ((flags[i] as number) & lastingFlag) !== 0,
      place: place[i] as RecordPlace,
    }
  }

  at(number: number): number {
    return this.#there(number).at[number % this.#entries] as number
  }

  read(number: number): LogEntry {
    const { text, offset, length } = this.#there(number)
    const i = number % this.#entries
    const from = offset[i] as number
    const record = text.toString('utf8', from, from + (length[i] as number))
    return readRecord(record, { ...this.head(number), node: this.#node })
  }

  /** Whether the text of an entry begins so. */
  beginsWith(number: number, bytes: Uint8Array): boolean {
    const { text, offset } = this.#there(number)
    const from = offset[number % this.#entries] as number
    return text.compare(bytes, 0, bytes.length, from, from + bytes.length) === 0
  }

  /** The number of the oldest entry that settled at this time or later. */
  since(at: number): number {
    let number = this.#next
    while (number > this.#first && this.at(number - 1) >= at) number--
    return number
  }

  #there(number: number): Columns {
    if (this.#columns === undefined || number < this.#first || number >= this.#next)
      throw new Error(`entry ${number} is not there`)
    return this.#columns
  }

  /** Lets the oldest entries go where the next one needs `bytes`, and its place in the columns. */
  #makeRoom(columns: Columns, bytes: number): void {
    const { offset } = columns
    if (this.#next - this.#first === this.#entries) this.#first++
    if (this.#head + bytes > this.#bytes) {
      // Those at the end of the text are older than those at its beginning.
      while (this.#first < this.#next && (offset[this.#first % this.#entries] as number) >= this.#head)
        this.#first++
      this.#head = 0
    }
    const end = this.#head + bytes
    while (this.#first < this.#next) {
      const from = offset[this.#first % this.#entries] as number
      if (from < this.#head || from >= end) return
      this.#first++
    }
  }
}

const failedFlag = 1
const lastingFlag = 2

interface Columns {
  readonly at: Float64Array
  readonly durationMs: Float64Array
  readonly status: Uint16Array
  readonly flags: Uint8Array
  readonly place: (RecordPlace | undefined)[]
  readonly offset: Uint32Array
  readonly length: Uint32Array
  readonly text: Buffer
}

function makeColumns(entries: number, bytes: number): Columns {
  return {
    at: new Float64Array(entries),
    durationMs: new Float64Array(entries),
    status: new Uint16Array(entries),
    flags: new Uint8Array(entries),
    place: new Array<RecordPlace | undefined>(entries),
    offset: new Uint32Array(entries),
    length: new Uint32Array(entries),
    text: Buffer.alloc(bytes),
  }
}
