import { isIP } from 'node:net'
import { AddressRanges } from './address-ranges.ts'

/** Decides which peers are trusted proxies, so that what they say of the client is believed. */
export class TrustedProxies {
  readonly #ranges: AddressRanges

  /** @param ranges addresses or CIDR ranges (`127.0.0.1/32`, `fd00::/8`); checked by the configuration's schema. */
  constructor(ranges: readonly string[]) {
    this.#ranges = new AddressRanges(ranges)
  }

  trusts(address: string): boolean {
    return this.#ranges.includes(address)
  }

  /**
   * The nearest address in `X-Forwarded-For` (read from the right) that is no trusted proxy; the peer when the peer is not
   * trusted, when there is no such header, or when an entry is not an address.
   */
  clientAddress(peer: string, forwardedFor: string | string[] | undefined): string {
    if (this.#ranges.empty || forwardedFor === undefined || !this.trusts(peer)) return peer
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
