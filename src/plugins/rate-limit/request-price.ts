import type { Exchange } from '../../core/exchange.ts'
import { requestCost } from '../../core/request-cost.ts'
import type { LimitOptions } from './options.ts'

/** What a request costs at a limit before its operation is known; whole units, at least 1. */
export function priceOf(cost: LimitOptions['cost'], x: Exchange): number {
  return costOf(cost, x) * (x.get(requestCost) ?? 1)
}

function costOf(cost: LimitOptions['cost'], { route: { id } }: Exchange): number {
  if (typeof cost === 'number') return cost
  if (cost === 'operation') return 1
  // `Search` or `library.v1.LibraryService/Search`.
  return own(cost, id) ?? own(cost, id.slice(id.lastIndexOf('/') + 1)) ?? 1
}

function own(costs: Readonly<Record<string, number>>, name: string): number | undefined {
  return Object.hasOwn(costs, name) ? costs[name] : undefined
}
