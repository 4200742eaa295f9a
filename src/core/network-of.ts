import { plainAddress } from './client-address.ts'

/** An IPv4 address as it is; of an IPv6 address the first 64 bits, because one host has the rest to choose from (RFC 6177). */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address
  const plain = plainAddress(address)
  if (!plain.includes(':')) return plain
  const [head = '', tail] = plain.split('::')
  const groups = head === '' ? [] : head.split(':')
  if (tail !== undefined) {
    const after = tail === '' ? [] : tail.split(':')
    // An address that ends in dotted IPv4 has two groups there.
    const length = after.length + (tail.includes('.') ? 1 : 0)
    while (groups.length + length < 8) groups.push('0')
    groups.push(...after)
  }
  let network = ''
  for (let i = 0; i < 4; i++) network += `${Number.parseInt(groups[i] ?? '0', 16).toString(16)}:`
  return `${network}:/64`
}
