import { ConnectionError, errorCodes } from './protocol.ts'

/**
 * Decodes a Huffman-coded string, each byte to the character of the same number. Throws COMPRESSION_ERROR for the EOS symbol and
 * for padding that is longer than 7 bits or not of ones. Source: RFC 7541 section 5.2.
 */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number): string {
  machine ??= buildMachine()
  const { next, symbol, mayEnd } = machine
  // No code is shorter than 5 bits.
  const most = Math.ceil(((end - start) * 8) / 5)
  if (scratch.length < most) scratch = Buffer.allocUnsafeSlow(most * 2)
  let length = 0
  let state = 0
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number
    for (let shift = 4; shift >= 0; shift -= 4) {
      const step = (state << 4) | ((byte >> shift) & 15)
      const decoded = symbol[step] as number
      if (decoded === eos) throw notHuffman()
      if (decoded !== none) scratch[length++] = decoded
      state = next[step] as number
    }
  }
  if (mayEnd[state] !== 1) throw notHuffman()
  return scratch.toString('latin1', 0, length)
}

/** Four bits at a time; no four bits complete more than one code. */
interface Machine {
  /** By `state << 4 | bits`: the state after them. */
  readonly next: Uint16Array
  /** By the same: the symbol that they complete, or `none`. */
  readonly symbol: Int16Array
  /** By state: 1 when what was read since the last symbol is padding. */
  readonly mayEnd: Uint8Array
}

const none = -1
const eos = 256
let machine: Machine | undefined
let scratch = Buffer.allocUnsafeSlow(256)

/** The code is canonical: of codes of one length the smaller belongs to the smaller symbol. Source: RFC 7541 appendix B. */
function buildMachine(): Machine {
  const children: number[][] = [[]]
  const paddings = new Set([0])
  const order = [...codeLengths.keys()].sort((a, b) => lengthOf(a) - lengthOf(b) || a - b)
  let code = 0
  let length = lengthOf(order[0] as number)
  for (const symbol of order) {
    code <<= lengthOf(symbol) - length
    length = lengthOf(symbol)
    insert(children, { symbol, code, length, paddings })
    code++
  }
  const next = new Uint16Array(children.length * 16)
  const symbols = new Int16Array(children.length * 16).fill(none)
  for (let state = 0; state < children.length; state++) {
    for (let bits = 0; bits < 16; bits++) {
      let node = state
      for (let shift = 3; shift >= 0; shift--) {
        const child = children[node]?.[(bits >> shift) & 1] as number
        if (child < 0) symbols[(state << 4) | bits] = ~child
        node = child < 0 ? 0 : child
      }
      next[(state << 4) | bits] = node
    }
  }
  return {
    next,
    symbol: symbols,
    mayEnd: Uint8Array.from(children, (_, state) => Number(paddings.has(state))),
  }
}

/** Puts a leaf (`~symbol`) into the tree; its nodes on the way of ones are those that padding may end in. */
function insert(
  children: number[][],
  leaf: {
    readonly symbol: number
    readonly code: number
    readonly length: number
    readonly paddings: Set<number>
  },
): void {
  let node = 0
  let allOnes = true
  for (let depth = 1; depth <= leaf.length; depth++) {
    const bit = (leaf.code >> (leaf.length - depth)) & 1
    const pair = children[node] as number[]
    allOnes &&= bit === 1
    if (depth === leaf.length) {
      pair[bit] = ~leaf.symbol
      return
    }
    pair[bit] ??= children.push([]) - 1
    node = pair[bit]
    if (allOnes && depth <= 7) leaf.paddings.add(node)
  }
}

function lengthOf(symbol: number): number {
  return codeLengths[symbol] as number
}

function notHuffman(): ConnectionError {
  return new ConnectionError(errorCodes.compressionError, 'A Huffman code is broken.')
}

/** Bits of the code of each byte, and of EOS. Source: RFC 7541 appendix B. */
// biome-ignore format: rows of 32
const codeLengths: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
]
