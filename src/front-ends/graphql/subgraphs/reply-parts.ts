import { type Exchange, Slot } from '../../../core/exchange.ts'
import { CacheControl } from './cache-control.ts'

/** What becomes of a header that several answers have: the first value to come, the last, or all. */
export type Merge = 'first' | 'last' | 'append'

/** What the answers of subgraphs give to that of an exchange. */
export class ReplyParts {
  readonly #headers = new Map<string, string[]>()
  #cacheControl: CacheControl | undefined
  #cached = 0
  #length = 0

  /** Those of the exchange, made on first use. */
  static of(x: Exchange): ReplyParts {
    let parts = x.get(slot)
    if (parts === undefined) {
      parts = new ReplyParts()
      x.set(slot, parts)
    }
    return parts
  }

  /** Undefined: no subgraph gave anything. */
  static known(x: Exchange): ReplyParts | undefined {
    return x.get(slot)
  }

  /** An exchange that has the result of another has also what its subgraphs gave. */
  static adopt(x: Exchange, from: Exchange): void {
    const parts = from.get(slot)
    if (parts !== undefined) x.set(slot, parts)
  }

  /** A header of one more answer; what could not be written, and what is too much, is left out. */
  add(name: string, value: string | string[] | undefined, merge: Merge): void {
    if (value === undefined) return
    const values = [value].flat().filter((one) => writable.test(one))
    const length = values.reduce((sum, one) => sum + one.length, 0)
    if (values.length === 0 || this.#length + length > maxLength) return
    const there = this.#headers.get(name)
    if (there !== undefined && merge === 'first') return
    this.#length += length
    this.#headers.set(name, there !== undefined && merge === 'append' ? [...there, ...values] : values)
  }

  /** What one more answer says of being kept. */
  cached(header: string | undefined, age: string | undefined): void {
    this.#cached++
    this.#cacheControl ??= new CacheControl()
    this.#cacheControl.merge(header, age === undefined ? 0 : Number(age) || 0)
  }

  /** Nothing of the exchange may be kept. */
  forbidCaching(): void {
    this.#cacheControl?.forbid()
  }

  /** Whether anything was said of being kept. */
  get isCacheable(): boolean {
    return this.#cacheControl !== undefined
  }

  /** Flat. `personal`: others may be answered otherwise. `calls`: that the whole took; one that said nothing of being kept counts as `no-cache`. */
  headers({ personal, calls }: { readonly personal: boolean; readonly calls: number }): string[] {
    const headers: string[] = []
    for (const [name, values] of this.#headers) {
      if (name === 'set-cookie') for (const value of values) headers.push('Set-Cookie', value)
      else headers.push(name, values.join(', '))
    }
    if (this.#cacheControl === undefined) return headers
    if (this.#cached < calls) this.#cacheControl.merge(undefined)
    headers.push('Cache-Control', this.#cacheControl.text(personal))
    return headers
  }
}

const slot = new Slot<ReplyParts>('graphql.replyParts')
/** Tab, and what is printable. */
const writable = /^[\t -~\x80-\xff]*$/
/** Characters of all values together. */
const maxLength = 16_384
