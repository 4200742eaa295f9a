import { GatewayError } from '../../../core/error.ts'
import { Carry } from './carry.ts'
import type { ElementSplitter } from './element-splitter.ts'

/**
 * The elements of one JSON array. Knows of JSON only what it takes to find the commas between them, strings and nesting: whoever
 * reads an element finds out whether it is JSON.
 */
export class ArraySplitter implements ElementSplitter {
  readonly #carry: Carry
  #place: Place = 'before'
  #depth = 0
  #quoted = false
  #escaped = false

  /** Of one element. */
  constructor(maxBytes: number) {
    this.#carry = new Carry(maxBytes)
  }

  *push(piece: Buffer): Generator<Buffer> {
    let at = 0
    while (at < piece.length) {
      if (this.#place !== 'inside') {
        if (!this.#begins(piece[at] as number)) {
          at++
          continue
        }
        this.#place = 'inside'
      }
      const end = this.#elementEnd(piece, at)
      if (end < 0) {
        this.#carry.add(piece.subarray(at))
        return
      }
      this.#place = piece[end] === comma ? 'next' : 'after'
      yield this.#carry.complete(piece.subarray(at, end))
      at = end + 1
    }
  }

  /** A body without a byte is a stream without a message. */
  finish(): undefined {
    if (this.#place !== 'after' && this.#place !== 'before')
      throw malformed('The body ends within the array.')
  }

  /** Takes a byte that is in no element; whether it begins one. */
  #begins(byte: number): boolean {
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) return false
    switch (this.#place) {
      case 'before':
        if (byte !== openBracket) throw malformed('The body must be a JSON array of messages.')
        this.#place = 'first'
        return false
      case 'after':
        throw malformed('There is more behind the array.')
      case 'first':
        if (byte === closeBracket) {
          this.#place = 'after'
          return false
        }
    }
    if (byte === comma || byte === closeBracket) throw malformed('An element is missing.')
    return true
  }

  /** Where the element ends that goes on at `start`: its comma, or the end of the array; -1: not in this piece. */
  #elementEnd(piece: Buffer, start: number): number {
    let depth = this.#depth
    let quoted = this.#quoted
    let escaped = this.#escaped
    let at = start
    scan: for (; at < piece.length; at++) {
      const byte = piece[at]
      if (quoted) {
        if (escaped) escaped = false
        else if (byte === backslash) escaped = true
        else if (byte === quote) quoted = false
        continue
      }
      switch (byte) {
        case quote:
          quoted = true
          break
        case openBrace:
        case openBracket:
          depth++
          break
        case closeBrace:
          if (depth > 0) depth--
          break
        case closeBracket:
          if (depth === 0) break scan
          depth--
          break
        case comma:
          if (depth === 0) break scan
      }
    }
    this.#depth = depth
    this.#quoted = quoted
    this.#escaped = escaped
    return at < piece.length ? at : -1
  }
}

/** Before the array, before its first element, before another one, in one, behind the array. */
type Place = 'before' | 'first' | 'next' | 'inside' | 'after'

function malformed(message: string): GatewayError {
  return new GatewayError('INVALID_BODY', message)
}

const quote = 0x22
const comma = 0x2c
const backslash = 0x5c
const openBracket = 0x5b
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d
