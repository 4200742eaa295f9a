/** What one key has used of one limit. Times are Unix times in whole microseconds, so that every sum is exact in a double. */
export interface State {
  /** From then on it says the same as a key never seen. */
  idleAt: number
  /** Of two keys of one limit, the one with more here is the one to remember when there is room for one. */
  used: number
}

/** How a key stands: what the headers tell. */
export interface Standing {
  /** Whole requests left. */
  readonly remaining: number
  /** Until one more is left than now; 0 when nothing is used. A refused request that comes again after it is admitted, if nobody else came. */
  readonly waitMicros: number
}

/**
 * One way to count one limit: the same arithmetic here for memory, and in script.ts for Redis. The clock may go back: that costs a
 * caller one window at the most.
 */
export interface Algorithm<S extends State = State> {
  /** What the script is told of it: its kind, how much there is, and the time that belongs to it in microseconds. */
  readonly script: readonly [kind: 1 | 2 | 3 | 4, amount: number, spanMicros: number]
  /** Keys in memory at the most. */
  readonly maxKeys: number
  /** A key that was never seen. */
  fresh(): S
  /** Whether one more request may pass now. Brings the state up to date; takes nothing. */
  admits(state: S, nowMicros: number): boolean
  /** Counts a request; directly after `admits` at the same time said that it may. */
  add(state: S, nowMicros: number): void
  /** Directly after `admits` or `add` at the same time. */
  standing(state: S, nowMicros: number): Standing
  /** The same from the three numbers by which the script tells a state. */
  standingTold(told: readonly [number, number, number], nowMicros: number): Standing
}

/** Keys of a limit that are kept in memory at the most; what one key takes is some 200 bytes. */
export const maxKeys = 100_000
