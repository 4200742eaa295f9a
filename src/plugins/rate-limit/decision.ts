import type { Standing } from './algorithm.ts'

/** What became of one request at several limits: it is counted at all of them, or at none. */
export interface Decision {
  readonly admitted: boolean
  /** When it was made, by the clock of the store; Unix time in microseconds. */
  readonly nowMicros: number
  /** How the key stands at each limit after that, in their order. */
  readonly standings: readonly Verdict[]
}

/** One limit's part in it. */
export interface Verdict extends Standing {
  /** Whether this limit would let the request pass. */
  readonly admits: boolean
}
