import type { LimitOptions, LimitSize, RateLimitOptions } from './options.ts'

type Refuse<P> = (path: P, message: string) => void

/** The most requests whose times are kept for one key. */
const maxLogged = 10_000
/** The longest that a request waits for its turn: clients are gone by then. */
const maxTurnMs = 60_000

/** Refuses what of the options contradicts itself or would do nothing; `all` are their limits. */
export function checkOptions(
  options: RateLimitOptions,
  all: readonly LimitOptions[],
  refuse: Refuse<(string | number)[]>,
): void {
  const { limits } = options
  if (limits === undefined) {
    for (const key of ['limit', 'window'] as const) {
      if (options[key] === undefined)
        refuse([key], 'is missing: a rate limit has `limit` and `window`, or `limits`')
    }
  } else {
    for (const key of ['name', 'limit', 'window', 'burst', 'queue', 'overrides'] as const) {
      if (options[key] !== undefined) refuse([key], 'stands beside `limits`, where each limit has its own')
    }
  }
  for (const [i, limit] of all.entries()) {
    const path = limits === undefined ? [] : ['limits', i]
    const refuseHere: Refuse<string> = (key, message) => refuse([...path, key], message)
    checkSize(limit, limit, refuseHere)
    if (typeof limit.window === 'string' && (limits?.[i] ?? options).algorithm !== undefined)
      refuseHere(
        'algorithm',
        `is not for a quota by the calendar, which counts from ${limit.window} to ${limit.window}`,
      )
    checkOverrides(limit, (key, message) => refuse([...path, 'overrides', ...key], message))
  }
  checkStore(options, all, refuse)
}

function checkOverrides(limit: LimitOptions, refuse: Refuse<string[]>): void {
  const { by, overrides } = limit
  if (overrides === undefined) return
  const callers = ['consumer', 'user']
  if (![by].flat().some((one) => callers.includes(one))) refuse([], 'are by id, for `by` consumer and user')
  for (const [id, other] of Object.entries(overrides))
    checkSize(limit, other, (key, message) => refuse([id, key], message))
}

function checkSize(
  { algorithm, cost }: LimitOptions,
  { limit, window, burst, queue }: LimitSize,
  refuse: Refuse<string>,
): void {
  const onCalendar = typeof window === 'string'
  if (!onCalendar && window < 1) refuse('window', 'must be at least 1ms')
  else if (!onCalendar && limit > window * 1_000)
    refuse('window', 'allows at most 1,000 requests per millisecond')
  if (burst !== undefined && (onCalendar || algorithm !== 'tokenBucket'))
    refuse('burst', `is for tokenBucket; ${onCalendar ? `a ${window}` : algorithm} has none`)
  if (queue !== undefined && (onCalendar || algorithm !== 'leakyBucket'))
    refuse('queue', `is for leakyBucket; ${onCalendar ? `a ${window}` : algorithm} has none`)
  if (!onCalendar && ((queue ?? 0) * window) / limit > maxTurnMs)
    refuse('queue', 'is so long that its last would wait more than a minute for its turn')
  if (!onCalendar && algorithm === 'slidingLog' && limit > maxLogged) {
    refuse(
      'limit',
      'may be at most 10,000 for slidingLog, which keeps the time of each request; slidingWindow has no such bound',
    )
  }
  const most = !onCalendar && algorithm === 'leakyBucket' ? (queue ?? 0) + 1 : (burst ?? limit)
  // A limit that is none is refused by itself.
  if (limit >= 1 && largest(cost) > most) refuse('cost', `is more than there ever is at once: ${most}`)
}

function checkStore(
  { store, onStoreError, localShare, lease }: RateLimitOptions,
  limits: readonly LimitOptions[],
  refuse: Refuse<string[]>,
): void {
  if (localShare !== undefined && (store === 'memory' || onStoreError !== 'local'))
    refuse(['localShare'], 'is for `onStoreError: local` of a limit that counts in Redis')
  if (lease === undefined) return
  if (store === 'memory') refuse(['lease'], 'is for limits that count in Redis')
  if (limits.some(({ algorithm, window }) => algorithm === 'leakyBucket' && typeof window === 'number'))
    refuse(['lease'], 'is not for leakyBucket, where each request has its turn')
  if (limits.some(({ cost, by }) => cost === 'operation' || [by].flat().includes('operation')))
    refuse(['lease'], 'is not for limits by operation or by what an operation costs')
  if (limits.some(({ limit, cost }) => lease * largest(cost) > limit))
    refuse(['lease'], 'is more than a limit has')
}

function largest(cost: LimitOptions['cost']): number {
  if (typeof cost === 'object') return Math.max(...Object.values(cost), 1)
  return cost === 'operation' ? 1 : cost
}
