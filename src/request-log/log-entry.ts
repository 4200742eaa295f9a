/** One settled exchange as people see it. Never holds a credential, a cookie, a query or a body. */
export interface LogEntry {
  /** `1790000000000-6e0c63257de34c92`: when it settled, and its span. Unique, and in the order of time. */
  readonly id: string
  /** When it settled, RFC 3339 with milliseconds. */
  readonly at: string
  readonly traceId: string
  readonly spanId: string
  readonly requestId: string
  /** The gateway that served it. */
  readonly node: string
  readonly protocol: string
  /** Id of the route, service method or endpoint; `unrouted` where none took it. */
  readonly route: string
  /** Path template of the route; `''` where none took it. */
  readonly template: string
  readonly method: string
  /** Canonical, without the query. */
  readonly path: string
  /** What the client was answered with; 499 when it left before. */
  readonly status: number
  readonly durationMs: number
  readonly requestBytes: number
  readonly responseBytes: number
  readonly clientAddress: string
  readonly userAgent?: string
  /** Who called: the subject of a token or the id of a consumer. */
  readonly user?: string
  readonly consumer?: string
  readonly configVersion: number
  /** The plugin that refused it, or answered instead of a backend. */
  readonly plugin?: string
  readonly error?: LoggedError
  /** Calls to upstreams in the order in which they began; of GraphQL those to subgraphs. */
  readonly calls: readonly LoggedCall[]
  /** How many more calls there were than are listed. */
  readonly callsOmitted?: number
  /** Of the protocol, in OpenTelemetry names: `graphql.operation.name`, `rpc.grpc.status_code`. */
  readonly attributes?: Readonly<Record<string, string | number>>
}

export interface LoggedError {
  /** `F50201` */
  readonly code: string
  readonly reason: string
  readonly message: string
  /** What went wrong inside; clients are not told. */
  readonly cause?: string
}

export interface LoggedCall {
  /** Whose call it was: the route, `graphql/accounts`, `grpc/library.v1.LibraryService`. */
  readonly place: string
  readonly upstream: string
  /** Of HTTP (`GET`), or of gRPC (`library.v1.LibraryService/GetBook`). */
  readonly method: string
  /** Until the head of the answer that counts, or the failure. */
  readonly durationMs: number
  /** Whether it has the answer of another call that was under way, and was not sent. */
  readonly shared?: true
  /** Whether a canary took it; absent where there is none. */
  readonly canary?: boolean
  /** Why it failed as a whole: the reason, as `CIRCUIT_OPEN`. */
  readonly reason?: string
  readonly attempts: readonly LoggedAttempt[]
  /** How many more attempts there were than are listed. */
  readonly attemptsOmitted?: number
}

export interface LoggedAttempt {
  readonly target: string
  /** What it answered: a status of HTTP, of a gRPC call the code; absent: nothing. */
  readonly status?: number
  readonly durationMs: number
  /** Why it was no good, and another one was made if there is one: `UPSTREAM_REFUSED`, `status 503`. */
  readonly failed?: string
  /** What went wrong on the connection. */
  readonly cause?: string
  /** Whether another attempt, under way beside it, was faster. */
  readonly lost?: true
}
