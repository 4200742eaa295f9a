import { BlockList, isIP } from 'node:net'

/** Decides which peers are trusted proxies, so that what they say of the client is believed. */
export class TrustedProxies {
  readonly #list = new BlockList()
  readonly #empty: boolean

  /** @param ranges addresses or CIDR ranges (`127.0.0.1/32`, `fd00::/8`); checked by the configuration's schema. */
  constructor(ranges: readonly string[]) {
    this.#empty = ranges.length === 0
    for (const range of ranges) {
      const [address = '', bits] = range.split('/')
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
      this.#list.addSubnet(
        address,
        bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits),
        family,
      )
    }
  }

  trusts(address: string): boolean {
    if (this.#empty) return false
    const family = isIP(address)
    return family !== 0 && this.#list.check(address, family === 6 ? 'ipv6' : 'ipv4')
  }

  /**
   * The nearest address in `X-Forwarded-For` (read from the right) that is no trusted proxy; the peer when the peer is not
   * trusted, when there is no such header, or when an entry is not an address.
   */
  clientAddress(peer: string, forwardedFor: string | string[] | undefined): string {
    if (this.#empty || forwardedFor === undefined || !this.trusts(peer)) return peer
    const hops = String(forwardedFor).split(',')
    let nearest = peer
    for (let i = hops.length - 1; i >= 0; i--) {
      const hop = (hops[i] ?? '').trim()
      if (isIP(hop) === 0) return nearest
      nearest = hop
      if (!this.trusts(hop)) return hop
    }
    return nearest
  }
}

/** An address as it is compared and logged: IPv4 mapped into IPv6 (`::ffff:10.0.0.1`) as IPv4. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}

/** Whether text is an address or a CIDR range. */
export function isCidr(text: string): boolean {
  const [address = '', bits, more] = text.split('/')
  const family = isIP(address)
  if (family === 0 || more !== undefined) return false
  if (bits === undefined) return true
  return /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 6 ? 128 : 32)
}
