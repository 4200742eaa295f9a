/**
 * A token bucket as the generic cell rate algorithm (ITU-T I.371, annex A): `capacity / interval` tokens at the most, one more each
 * interval. In whole microseconds, so that every sum is exact in a double.
 */
export interface Bucket {
  readonly intervalMicros: number
  readonly capacityMicros: number
}

/** What became of one request. */
export interface Decision {
  readonly admitted: boolean
  /** Time until the bucket is full again. */
  readonly backlogMicros: number
  /** Whole tokens left. */
  readonly remaining: number
  /** Until one more token is there. */
  readonly waitMicros: number
}

/** `limit` tokens per window, `burst` of them at once. The interval is rounded up: the limit is never exceeded. */
export function bucketOf(options: {
  readonly limit: number
  readonly windowMs: number
  readonly burst: number
}): Bucket {
  const intervalMicros = Math.ceil((options.windowMs * 1_000) / options.limit)
  return { intervalMicros, capacityMicros: intervalMicros * options.burst }
}

/**
 * Takes a token if there is one. `fullAtMicros` is when the bucket will be full (in the past: it is), 0 for an unknown key; after an
 * admission the caller keeps `nowMicros + decision.backlogMicros` in its place, after a refusal nothing changes.
 */
export function take(bucket: Bucket, fullAtMicros: number, nowMicros: number): Decision {
  // More than the capacity stands there only when the clock went back or the limit was lowered.
  const backlog = Math.min(Math.max(fullAtMicros - nowMicros, 0), bucket.capacityMicros)
  const after = backlog + bucket.intervalMicros
  return after <= bucket.capacityMicros ? decision(bucket, true, after) : decision(bucket, false, backlog)
}

/** A decision from what the store says: whether the token was taken, and the backlog after that. */
export function decision(bucket: Bucket, admitted: boolean, backlogMicros: number): Decision {
  const left = bucket.capacityMicros - backlogMicros
  return {
    admitted,
    backlogMicros,
    remaining: Math.floor(left / bucket.intervalMicros),
    waitMicros: bucket.intervalMicros - (left % bucket.intervalMicros),
  }
}
