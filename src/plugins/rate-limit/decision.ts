/** What became of one request at several limits: it is counted at all of them, or at none. */
export interface Decision {
  readonly admitted: boolean
  /** When it was made, by the clock of the store; Unix time in microseconds. */
  readonly nowMicros: number
  /** How the key stands at each limit after that, in their order. */
  readonly standings: readonly Verdict[]
}

/** One limit's part in it, and what the headers tell. */
export interface Verdict {
  /** Whether this limit would let the request pass. */
  readonly admits: boolean
  /** Whole units left. */
  readonly remaining: number
  /** Until one more is left than now; 0 when nothing is used. */
  readonly waitMicros: number
  /** Until the same request would be admitted, if nobody else comes: 0 where it was, Infinity where it costs more than there ever is. */
  readonly retryMicros: number
  /** How long an admitted request waits for its turn. */
  readonly turnMicros: number
}
