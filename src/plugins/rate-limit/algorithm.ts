import type { Counts } from '../../core/key-table.ts'

/**
 * What tells how much of a limit one key has used; the script answers the same three numbers. Times are Unix times in whole
 * microseconds, so that every sum is exact in a double.
 */
export interface Told {
  /** Of a bucket: when it is idle again. Of a window: when it began. Of a log: when the request came with whose end one more is left. */
  readonly at: number
  /** Of a window or a log: units counted in it. */
  readonly used: number
  /** Of a sliding window: units counted in the window before. Of a log that refused: when the request came with whose end it fits. */
  readonly before: number
}

/** What one key has used of one limit, in memory. */
export interface State extends Told, Counts {
  /** What wrote it. Another one takes it over by `from`. */
  by: Algorithm
  idleAt: number
  at: number
  used: number
  before: number
}

/**
 * One way to count one limit: the same arithmetic here for memory, and in script.ts for Redis. A request costs whole units, one as a
 * rule. The clock may go back: that costs a caller one window at the most.
 */
export interface Algorithm<S extends State = State> {
  /** What the script is told of it: its kind, how much there is, and the time that belongs to it in microseconds. */
  readonly script: readonly [kind: Kind, amount: number, spanMicros: number]
  /** Units that one request may cost at the most. */
  readonly most: number
  /** Keys in memory at the most. */
  readonly maxKeys: number
  /** The state of a key that has used so many units, by whatever algorithm; 0: one that was never seen. */
  from(units: number, nowMicros: number): S
  /** Units in use, which may be part of one, for another algorithm to go on with. */
  units(state: S, nowMicros: number): number
  /** Whether so many more units may pass now. Brings the state up to date; takes nothing. */
  admits(state: S, nowMicros: number, cost: number): boolean
  /** Finds what `retryMicros` needs; directly after `admits` said no. Absent: there is nothing to find. */
  seek?(state: S, cost: number): void
  /** Counts units; directly after `admits` at the same time said that they may pass. */
  add(state: S, nowMicros: number, cost: number): void
  /** Whole units left. Directly after `admits` or `add` at the same time, as all that follow. */
  remaining(told: Told, nowMicros: number): number
  /** Until one more unit is left than now; 0 when nothing is used. */
  waitMicros(told: Told, nowMicros: number): number
  /** Until a request that was refused is admitted, if nobody else comes; `cost` is at most `most`. */
  retryMicros(told: Told, nowMicros: number, cost: number): number
  /** How long a request that was just added waits for its turn; absent: never. */
  turnMicros?(told: Told, nowMicros: number, cost: number): number
}

/** 1 buckets, 2 windows of fixed length, 3 sliding windows, 4 logs, 5 months. */
export type Kind = 1 | 2 | 3 | 4 | 5

/** Keys of a limit that are kept in memory at the most; what one key takes is some 200 bytes. */
export const maxKeys = 100_000

/** Whether two algorithms read the numbers of a state alike, so that one goes on where the other stopped. */
export function countAlike({ script: [kind, , span] }: Algorithm, { script: other }: Algorithm): boolean {
  return kind === other[0] && (kind === 4 || span === other[2])
}
