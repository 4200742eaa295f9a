import type { EntryRing } from './entry-ring.ts'
import type { RecordPlace } from './read-record.ts'

/** Requests of a moment, per second, and how long they took. */
export interface Pace {
  readonly perSecond: number
  /** A server was to blame: 5xx, or such a code of gRPC. */
  readonly failedPerSecond: number
  /** 4xx. */
  readonly refusedPerSecond: number
  /** Null: there was none. */
  readonly p50Ms: number | null
  readonly p95Ms: number | null
  readonly p99Ms: number | null
}

export interface Traffic extends Pace {
  readonly protocols: readonly (Pace & { readonly protocol: string })[]
  /** Those with most requests. */
  readonly routes: readonly (Pace & { readonly protocol: string; readonly route: string })[]
}

/** Entries that are looked at: more would hold up requests, and say the same. */
const maxSeen = 10_000
const maxRoutes = 10

/**
 * What settled since the entry with the number `from`, within so many seconds. Told by the log, so that nothing more is counted for each request. Where
 * more settled than it holds, the latest stand for all.
 */
export function trafficOf(ring: EntryRing, { from, seconds }: { from: number; seconds: number }): Traffic {
  const settled = ring.next - from
  const first = Math.max(from, ring.first, ring.next - maxSeen)
  const groups = new Map<string, Group>()
  for (let number = first; number < ring.next; number++) {
    const { place, durationMs, status, failed, lasting } = ring.head(number)
    const key = `${place.protocol} ${place.route}`
    let group = groups.get(key)
    if (group === undefined) {
      group = { place, count: 0, durations: [], failed: 0, refused: 0 }
      groups.set(key, group)
    }
    group.count++
    if (!lasting) group.durations.push(durationMs)
    if (failed) group.failed++
    else if (status >= 400) group.refused++
  }
  const seen = ring.next - first
  const perSeen = seen === 0 ? 0 : settled / seen / seconds
  const all = [...groups.values()]
  const byProtocol = Map.groupBy(all, ({ place }) => place.protocol)
  const busiest = all.sort((a, b) => b.count - a.count).slice(0, maxRoutes)
  return {
    ...paceOf(all, perSeen),
    protocols: [...byProtocol].map(([protocol, some]) => ({ protocol, ...paceOf(some, perSeen) })),
    routes: busiest.map((one) => ({
      protocol: one.place.protocol,
      route: one.place.route,
      ...paceOf([one], perSeen),
    })),
  }
}

interface Group {
  readonly place: RecordPlace
  count: number
  /** Of those whose time says something. */
  readonly durations: number[]
  failed: number
  refused: number
}

function paceOf(groups: readonly Group[], perSeen: number): Pace {
  const durations = Float64Array.from(groups.flatMap((group) => group.durations)).sort()
  const sum = (count: (group: Group) => number): number =>
    tenths(groups.reduce((total, group) => total + count(group), 0) * perSeen)
  return {
    perSecond: sum((group) => group.count),
    failedPerSecond: sum((group) => group.failed),
    refusedPerSecond: sum((group) => group.refused),
    p50Ms: rank(durations, 0.5),
    p95Ms: rank(durations, 0.95),
    p99Ms: rank(durations, 0.99),
  }
}

/** Of values in ascending order, the nearest rank. */
function rank(sorted: Float64Array, share: number): number | null {
  const value = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]
  return value === undefined ? null : Math.round(value * 1_000) / 1_000
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10
}
