import type { GatewayError } from './error.ts'

/** One call that the exchange made to an upstream; written by `dispatch`, read by log and metrics. */
export interface CallRecord {
  /** Whose call it is: the route, `graphql/accounts`, `grpc/library.v1.LibraryService`. */
  readonly place: string
  readonly upstreamName: string
  /** What is asked for: a method of HTTP (`GET`), or of gRPC (`library.v1.LibraryService/GetBook`). */
  readonly method: string
  /** `performance.now()` when its upstream was first asked. */
  readonly startedAt: number
  /** URL of the last target tried; `''` when none was. */
  target: string
  /** In the order in which they began. */
  readonly attempts: readonly AttemptRecord[]
  /** Milliseconds from the first attempt to the head of the answer (or to the failure). */
  durationMs: number
  error: GatewayError | undefined
  /** Whether it went to a new version; undefined where none is let in. */
  readonly canary?: boolean | undefined
  /** Whether it has the answer of another call, and was not sent. Default false. */
  readonly shared?: boolean
}

/**
 * One attempt of a call; written by `dispatch`. Why the next one followed is its `fault`, or the reason of its `error`. It holds what it was
 * made from: whoever remembers it for longer than its exchange lasts makes a copy.
 */
export interface AttemptRecord {
  /** URL of the target. */
  readonly target: string
  /** What the target was told as `traceparent`; `''`: nothing. */
  readonly traceparent: string
  /** `performance.now()` */
  readonly startedAt: number
  /** `performance.now()` after the last byte of the answer, or at the failure; 0 while it is under way. */
  readonly endedAt: number
  /** Milliseconds from its beginning to the head of the answer (or to the failure, or until now). */
  readonly durationMs: number
  /** What the target answered: status of HTTP, or number of gRPC; undefined: nothing. */
  readonly status: number | undefined
  /** What the answer says of a target that is not well: `status 503`, `grpc-status 14`. */
  readonly fault: string | undefined
  /** Why it failed, or was broken off. */
  readonly error: GatewayError | undefined
  /** Whether another attempt was faster. */
  readonly lost: boolean
}
