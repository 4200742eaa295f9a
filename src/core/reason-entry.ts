/** The 16 error codes of gRPC (`google/rpc/code.proto`) in lower case; every refusal carries one, whatever the protocol. */
export type Code = keyof typeof grpcNumbers

/** `google.rpc.Code` numbers, by code. Source: `google/rpc/code.proto`. */
export const grpcNumbers = {
  canceled: 1,
  unknown: 2,
  invalid_argument: 3,
  deadline_exceeded: 4,
  not_found: 5,
  already_exists: 6,
  permission_denied: 7,
  resource_exhausted: 8,
  failed_precondition: 9,
  aborted: 10,
  out_of_range: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  data_loss: 15,
  unauthenticated: 16,
} as const

/** How one reason is spelled: gRPC code, HTTP status, the number users look up, the RFC 9209 error type, a title. */
export interface ReasonEntry {
  readonly code: Code
  readonly status: number
  /** `F` + HTTP status + two digits; stable, listed in docs/errors.md. */
  readonly number: string
  /** RFC 9209 section 2.3 error type; absent where the standard has no word. */
  readonly proxyStatus?: string
  readonly title: string
}

/** `number` is made of the status and `suffix`. */
export function row(
  code: Code,
  status: number,
  suffix: string,
  proxyStatus: string | undefined,
  title: string,
): ReasonEntry {
  const number = `F${status}${suffix}`
  return proxyStatus === undefined
    ? { code, status, number, title }
    : { code, status, number, proxyStatus, title }
}
