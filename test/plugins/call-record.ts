import type { AttemptRecord, CallRecord } from '../../src/core/call-record.ts'

/** A call as `dispatch` would have noted it; with a number, so many attempts that were answered. */
export function callRecord({
  attempts = 1,
  ...given
}: Partial<Omit<CallRecord, 'attempts'>> & {
  readonly attempts?: number | readonly AttemptRecord[]
} = {}): CallRecord {
  const call = {
    place: 'users-v1',
    upstreamName: 'users',
    method: 'GET',
    startedAt: performance.now(),
    target: 'http://127.0.0.1:1',
    durationMs: 1,
    error: undefined,
    ...given,
  }
  if (typeof attempts !== 'number') return { ...call, attempts }
  return { ...call, attempts: Array.from({ length: attempts }, () => attemptRecord({ target: call.target })) }
}

/** An attempt that was answered. */
export function attemptRecord(given: Partial<AttemptRecord> = {}): AttemptRecord {
  const startedAt = performance.now()
  return {
    target: 'http://127.0.0.1:1',
    traceparent: '',
    startedAt,
    endedAt: startedAt + 1,
    durationMs: 1,
    status: 200,
    fault: undefined,
    error: undefined,
    lost: false,
    ...given,
  }
}
