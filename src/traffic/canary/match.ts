import { AddressRanges } from '../../core/address-ranges.ts'
import type { Exchange } from '../../core/exchange.ts'
import type { Track } from './release.ts'

/** Who is sent to the canary whatever its weight is. */
export interface MatchOptions {
  /** Lower-case names; all of them must be there, by exact value or `*` for any. */
  readonly headers: Readonly<Record<string, string>>
  /** Ids of principals, of whatever issuer. */
  readonly users: readonly string[]
  /** Addresses or CIDR ranges of clients. */
  readonly ips: readonly string[]
  readonly region?: { readonly header: string; readonly values: readonly string[] } | undefined
}

/** The side that the rules name for an exchange; undefined: none does, and the percentage decides. */
export type Match = (x: Exchange) => Track | undefined

/**
 * Compiles the rules, tried in the order header, user, address, region. A client that sends `false` or `never` in one of the headers
 * stays with the stable side, whatever else is true of it.
 */
export function compileMatch({ headers, users, ips, region }: MatchOptions): Match {
  const wanted = Object.entries(headers)
  const userIds = new Set(users)
  const ranges = new AddressRanges(ips)
  const regions = new Set(region?.values)
  return (x) => {
    if (wanted.length > 0) {
      const said = byHeaders(x, wanted)
      if (said !== undefined) return said
    }
    if (userIds.size > 0 && x.principal !== undefined && userIds.has(x.principal.id)) return 'canary'
    if (!ranges.empty && ranges.includes(x.request.clientAddress)) return 'canary'
    if (region !== undefined && regions.has(x.header(region.header) ?? '')) return 'canary'
    return undefined
  }
}

function byHeaders(x: Exchange, wanted: readonly (readonly [string, string])[]): Track | undefined {
  let all = true
  for (const [name, value] of wanted) {
    const sent = x.header(name)
    if (sent === 'false' || sent === 'never') return 'stable'
    if (sent === undefined || (value !== '*' && sent !== value)) all = false
  }
  return all ? 'canary' : undefined
}
