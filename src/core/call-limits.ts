/** What a call may take that is made for something larger: a part of an aggregation, a fetch of a stored operation. */
export interface CallLimits {
  /** `performance.now()` after which it has failed, whatever other limits say. */
  readonly deadlineAt: number
  /** Of its answer; a larger one is UPSTREAM_TOO_LARGE. */
  readonly maxAnswerBytes: number
}
