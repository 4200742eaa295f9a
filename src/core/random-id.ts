import { randomFillSync } from 'node:crypto'

/** `length` random bytes in lower-case hexadecimal, from a refilled pool of the system's generator. */
export function randomHex(length: number): string {
  if (offset + length > pool.length) {
    randomFillSync(pool)
    offset = 0
  }
  const text = pool.toString('hex', offset, offset + length)
  offset += length
  return text
}

/** A UUID of version 7: 48 bits of Unix time in milliseconds, then random bits (RFC 9562 section 5.7). */
export function uuidV7(epochMs: number): string {
  const time = epochMs.toString(16).padStart(12, '0')
  const random = randomHex(10)
  const variant = ((Number.parseInt(random.charAt(3), 16) & 0x3) | 0x8).toString(16)
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-${variant}${random.slice(4, 7)}-${random.slice(7, 19)}`
}

const pool = Buffer.alloc(8_192)
let offset = pool.length
