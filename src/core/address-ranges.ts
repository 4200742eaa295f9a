import { BlockList, isIP } from 'node:net'

/** A set of addresses and CIDR ranges (`127.0.0.1`, `10.0.0.0/8`, `fd00::/8`). */
export class AddressRanges {
  readonly #list = new BlockList()
  readonly empty: boolean

  /** @param ranges each one that {@link isCidr}. */
  constructor(ranges: readonly string[]) {
    this.empty = ranges.length === 0
    for (const range of ranges) {
      const [address = '', bits] = range.split('/')
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
      const whole = family === 'ipv6' ? 128 : 32
      this.#list.addSubnet(address, bits === undefined ? whole : Number(bits), family)
    }
  }

  /** False for a text that is no address. */
  includes(address: string): boolean {
    if (this.empty) return false
    const family = isIP(address)
    return family !== 0 && this.#list.check(address, family === 6 ? 'ipv6' : 'ipv4')
  }
}

/** Whether text is an address or a CIDR range. */
export function isCidr(text: string): boolean {
  const [address = '', bits, more] = text.split('/')
  const family = isIP(address)
  if (family === 0 || more !== undefined) return false
  if (bits === undefined) return true
  return /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 6 ? 128 : 32)
}
