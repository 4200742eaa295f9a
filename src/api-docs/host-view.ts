import type { Row } from '../core/route.ts'
import { hostName } from '../routing/table.ts'

/** The part of the routes that clients of one host see. */
export interface HostView {
  /** One of as many as the configuration names: whatever host is asked for, no more views come of it. */
  readonly key: string
  /** A host that stands for all of the view. */
  readonly host: string
}

/** Which view a `Host` header gets: that of its name, of the longest `*.` pattern that it fits, or that of the routes for every host. */
export function hostView(rows: readonly Row[]): (host: string) => HostView {
  const patterns = [...new Set(rows.flatMap(({ hosts }) => hosts))].sort((a, b) => b.length - a.length)
  const exact = new Set(patterns.filter((pattern) => !pattern.startsWith('*.')))
  const suffixes = patterns.filter((pattern) => pattern.startsWith('*.')).map((pattern) => pattern.slice(1))
  return (host) => {
    const name = hostName(host)
    if (exact.has(name)) return { key: name, host: name }
    const suffix = suffixes.find((end) => name.length > end.length && name.endsWith(end))
    return suffix === undefined ? { key: '', host: '' } : { key: `*${suffix}`, host: `any${suffix}` }
  }
}
