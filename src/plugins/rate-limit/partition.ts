import { plainAddress } from '../../core/client-address.ts'
import type { Exchange } from '../../core/exchange.ts'
import { userKey } from '../../core/user-key.ts'

/** Whose requests are counted together. */
export type Partition = 'consumer' | 'user' | 'ip' | 'route'

/**
 * The key that an exchange is counted under. Kinds of keys are told apart by their first letter, so that nobody can name himself
 * into the bucket of another. Without an identity, the client's address.
 */
export function partitionKey(x: Exchange, by: Partition): string {
  if (by === 'route') return `r:${x.route.id}`
  const { principal } = x
  if (by === 'ip' || principal === undefined) return `i:${networkOf(x.request.clientAddress)}`
  if (by === 'consumer' && principal.consumer !== undefined) return `c:${principal.consumer}`
  return principal.via === 'apiKey' ? `c:${principal.id}` : `u:${userKey(principal)}`
}

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
