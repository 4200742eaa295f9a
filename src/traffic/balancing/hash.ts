/**
 * MurmurHash3 (x86, 32 bits) of the UTF-16LE bytes of a text, from 0 to 2^32 - 1. Spreads keys over targets; no defence against
 * people who look for texts with equal hashes.
 */
export function hashText(text: string, seed = 0): number {
  let hash = seed
  const even = text.length & ~1
  for (let i = 0; i < even; i += 2) {
    hash ^= scramble(text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16))
    hash = (hash << 13) | (hash >>> 19)
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0
  }
  if (even < text.length) hash ^= scramble(text.charCodeAt(even))
  return mixBits(hash ^ (text.length * 2)) >>> 0
}

/** MurmurHash3's last step: every bit of the input changes every bit of the output about half the time. One to one; signed. */
export function mixBits(bits: number): number {
  let mixed = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}

function scramble(block: number): number {
  const spread = Math.imul(block, 0xcc9e2d51)
  return Math.imul((spread << 15) | (spread >>> 17), 0x1b873593)
}
