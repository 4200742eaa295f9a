import { z } from 'zod'
import { AddressRanges, isCidr } from './address-ranges.ts'

/** Addresses and CIDR ranges. An empty `allow` is everybody. */
export interface AddressLists {
  readonly allow: readonly string[]
  readonly deny: readonly string[]
}

/** Who may come by address; deny wins. */
export class AddressAccess {
  readonly #allow: AddressRanges
  readonly #deny: AddressRanges

  constructor({ allow, deny }: AddressLists) {
    this.#allow = new AddressRanges(allow)
    this.#deny = new AddressRanges(deny)
  }

  /** Whether nobody is refused. */
  get open(): boolean {
    return this.#allow.empty && this.#deny.empty
  }

  permits(address: string): boolean {
    return !this.#deny.includes(address) && (this.#allow.empty || this.#allow.includes(address))
  }
}

/** A list of addresses and CIDR ranges in the configuration. */
export function addressList() {
  return z.array(z.string().refine(isCidr, 'expected an address or a CIDR range'))
}

/** `allow` and `deny` in the configuration. */
export const accessKeys = {
  allow: addressList().default([]).describe('Addresses and CIDR ranges that may come; empty: all.'),
  deny: addressList().default([]).describe('Addresses and CIDR ranges that may not, whatever `allow` says.'),
}
