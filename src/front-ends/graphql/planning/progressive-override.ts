import type { OverrideDecider } from './variant.ts'

/**
 * Decides labels of progressive `@override` for each request: `percent(12.5)` is on for that share of requests (Federation 2.7), by
 * chance; any other where it is in `on`.
 */
export function overrideDecider(on: readonly string[], random: () => number = Math.random): OverrideDecider {
  const configured = new Set(on)
  const shares = new Map<string, number | undefined>()
  return (label) => {
    let share = shares.get(label)
    if (share === undefined && !shares.has(label)) {
      share = shareOf(label)
      shares.set(label, share)
    }
    return share === undefined ? configured.has(label) : random() * 100 < share
  }
}

function shareOf(label: string): number | undefined {
  const percent = /^percent\((\d{1,3}(?:\.\d{1,8})?)\)$/.exec(label)?.[1]
  return percent === undefined ? undefined : Number(percent)
}
