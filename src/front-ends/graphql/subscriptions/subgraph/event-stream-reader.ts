import { StringDecoder } from 'node:string_decoder'

/** Reads a stream of server-sent events (WHATWG HTML, "Server-sent events", section 9.2.6), however its bytes are cut. */
export class EventStreamReader {
  readonly #maxBytes: number
  readonly #onEvent: (name: string, data: string) => void
  readonly #decoder = new StringDecoder('utf8')
  /** A line whose end is not there yet; a carriage return at its end may be half of it. */
  #rest = ''
  #data: string[] = []
  #size = 0
  #name = ''
  #isFirst = true

  /** `onEvent` may throw, which {@link push} does then. */
  constructor(maxBytes: number, onEvent: (name: string, data: string) => void) {
    this.#maxBytes = maxBytes
    this.#onEvent = onEvent
  }

  /** Throws an Error for an event above the limit. */
  push(chunk: Buffer): void {
    let added = this.#decoder.write(chunk)
    if (this.#isFirst && added !== '') {
      this.#isFirst = false
      if (added.startsWith('\uFEFF')) added = added.slice(1)
    }
    const text = this.#rest + added
    let from = 0
    let at = lineEnd(text, Math.max(0, this.#rest.length - 1))
    for (; at !== -1; at = lineEnd(text, from)) {
      const isReturn = text.charCodeAt(at) === carriageReturn
      if (isReturn && at === text.length - 1) break
      const line = text.slice(from, at)
      from = at + (isReturn && text.charCodeAt(at + 1) === lineFeed ? 2 : 1)
      this.#line(line)
    }
    this.#rest = text.slice(from)
    this.#bound(this.#rest.length)
  }

  #line(line: string): void {
    if (line === '') {
      this.#dispatch()
      return
    }
    const colon = line.indexOf(':')
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'event') this.#name = value
    if (field !== 'data') return
    this.#size += value.length + 1
    this.#bound(0)
    this.#data.push(value)
  }

  #dispatch(): void {
    const name = this.#name
    const data = this.#data
    this.#name = ''
    this.#data = []
    this.#size = 0
    if (data.length > 0) this.#onEvent(name, data.join('\n'))
  }

  #bound(rest: number): void {
    if (this.#size + rest > this.#maxBytes) throw new Error('an event that is too large')
  }
}

const lineFeed = 10
const carriageReturn = 13

function lineEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === lineFeed || code === carriageReturn) return at
  }
  return -1
}
