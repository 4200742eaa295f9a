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

/**
 * The one table of everything that the gateway itself refuses or fails with. Front-ends spell errors from it, docs/errors.md
 * lists it, and a test holds the two together.
 */
export const reasons = {
  MALFORMED_REQUEST: row(
    'invalid_argument',
    400,
    '00',
    'http_request_error',
    'The request cannot be read in exactly one way',
  ),
  PATH_REFUSED: row('invalid_argument', 400, '00', 'http_request_error', 'The path is ambiguous or unsafe'),
  INVALID_BODY: row('invalid_argument', 400, '00', 'http_request_error', 'The body cannot be read'),
  INVALID_ARGUMENT: row(
    'invalid_argument',
    400,
    '01',
    'http_request_error',
    'A field or parameter is not valid',
  ),
  GRAPHQL_PARSE_FAILED: row(
    'invalid_argument',
    400,
    '00',
    'http_request_error',
    'The GraphQL document does not parse',
  ),
  GRAPHQL_VALIDATION_FAILED: row(
    'invalid_argument',
    400,
    '01',
    'http_request_error',
    'The GraphQL operation is not valid',
  ),
  GRAPHQL_LIMIT_EXCEEDED: row(
    'invalid_argument',
    400,
    '01',
    'http_request_error',
    'The GraphQL operation is too large',
  ),
  CSRF_REFUSED: row(
    'invalid_argument',
    400,
    '00',
    'http_request_error',
    'The request could have been forged by another site',
  ),
  NO_CREDENTIALS: row('unauthenticated', 401, '00', 'http_request_denied', 'Credentials are required'),
  KEY_INVALID: row('unauthenticated', 401, '01', 'http_request_denied', 'The API key is not valid'),
  JWT_INVALID: row('unauthenticated', 401, '01', 'http_request_denied', 'The token is not valid'),
  KEY_EXPIRED: row('unauthenticated', 401, '02', 'http_request_denied', 'The API key has expired'),
  JWT_EXPIRED: row('unauthenticated', 401, '02', 'http_request_denied', 'The token has expired'),
  ORIGIN_REFUSED: row(
    'permission_denied',
    403,
    '00',
    'http_request_denied',
    'Pages of this origin may not open a WebSocket',
  ),
  ROLE_MISSING: row('permission_denied', 403, '00', 'http_request_denied', 'A role is missing'),
  SCOPE_MISSING: row('permission_denied', 403, '00', 'http_request_denied', 'A scope is missing'),
  REFUSED_BY_PLUGIN: row(
    'permission_denied',
    403,
    '00',
    'http_request_denied',
    'A plugin refused the request',
  ),
  ROUTE_NOT_FOUND: row('not_found', 404, '00', 'destination_not_found', 'No route matches'),
  NOT_FOUND: row('not_found', 404, '01', undefined, 'What is asked for does not exist'),
  METHOD_NOT_ALLOWED: row(
    'unimplemented',
    405,
    '00',
    'http_request_error',
    'The path exists, the method does not',
  ),
  NOT_ACCEPTABLE: row('invalid_argument', 406, '00', 'http_request_error', 'No offered format is acceptable'),
  CLIENT_TOO_SLOW: row('deadline_exceeded', 408, '00', undefined, 'The client sent too slowly'),
  BODY_TOO_LARGE: row('resource_exhausted', 413, '00', 'http_request_error', 'The body is too large'),
  URL_TOO_LONG: row('invalid_argument', 414, '00', 'http_request_error', 'The URL is too long'),
  UNSUPPORTED_MEDIA_TYPE: row(
    'invalid_argument',
    415,
    '00',
    'http_request_error',
    'The content type is not supported',
  ),
  EXPECTATION_FAILED: row(
    'invalid_argument',
    417,
    '00',
    'http_request_error',
    'The expectation cannot be met',
  ),
  RATE_LIMITED: row('resource_exhausted', 429, '00', 'http_request_denied', 'The rate limit is used up'),
  PART_REFUSED: row(
    'failed_precondition',
    424,
    '00',
    undefined,
    'A backend refused its part of the answer; the status is what it said',
  ),
  HEADERS_TOO_LARGE: row(
    'invalid_argument',
    431,
    '00',
    'http_request_error',
    'The headers are too large or too many',
  ),
  CLIENT_GONE: row('canceled', 499, '00', undefined, 'The client went away'),
  INTERNAL: row('internal', 500, '00', 'proxy_internal_error', 'The gateway failed'),
  NOT_IMPLEMENTED: row('unimplemented', 501, '00', 'http_request_error', 'The gateway does not do this'),
  UPSTREAM_TOO_LARGE: row(
    'resource_exhausted',
    502,
    '00',
    'http_response_body_size',
    'The answer of the upstream is too large',
  ),
  UPSTREAM_BAD_ANSWER: row(
    'unavailable',
    502,
    '00',
    'http_protocol_error',
    'The upstream answered with something unreadable',
  ),
  SUBGRAPH_ERROR: row('unknown', 502, '00', 'http_protocol_error', 'A subgraph answered with an error'),
  PART_FAILED: row('unknown', 502, '05', 'http_protocol_error', 'A backend failed at its part of the answer'),
  UPSTREAM_REFUSED: row(
    'unavailable',
    502,
    '01',
    'connection_refused',
    'The upstream refused the connection',
  ),
  UPSTREAM_RESET: row(
    'unavailable',
    502,
    '02',
    'connection_terminated',
    'The upstream closed the connection',
  ),
  UPSTREAM_DNS: row('unavailable', 502, '03', 'dns_error', 'The name of the upstream cannot be resolved'),
  UPSTREAM_TLS: row('unavailable', 502, '04', 'tls_certificate_error', 'TLS to the upstream failed'),
  UNAVAILABLE: row(
    'unavailable',
    503,
    '00',
    'destination_unavailable',
    'A part that the request needs is not available',
  ),
  CIRCUIT_OPEN: row(
    'unavailable',
    503,
    '01',
    'destination_unavailable',
    'The upstream kept failing, and is not asked for a while',
  ),
  NO_HEALTHY_TARGET: row(
    'unavailable',
    503,
    '02',
    'destination_unavailable',
    'No target of the upstream is healthy',
  ),
  OVERLOADED: row('unavailable', 503, '03', 'connection_limit_reached', 'The gateway is overloaded'),
  DRAINING: row('unavailable', 503, '04', 'connection_limit_reached', 'The gateway is shutting down'),
  UPSTREAM_TIMEOUT: row(
    'deadline_exceeded',
    504,
    '00',
    'http_response_timeout',
    'The upstream did not answer in time',
  ),
  CONNECT_TIMEOUT: row(
    'deadline_exceeded',
    504,
    '01',
    'connection_timeout',
    'The upstream did not accept the connection in time',
  ),
  DEADLINE_EXCEEDED: row(
    'deadline_exceeded',
    504,
    '02',
    'connection_read_timeout',
    'The time for the whole request ran out',
  ),
  HTTP_VERSION_REFUSED: row(
    'unimplemented',
    505,
    '00',
    'http_request_error',
    'This HTTP version is not spoken here',
  ),
} as const satisfies Readonly<Record<string, ReasonEntry>>

/** A stable word for what happened; clients may branch on it. */
export type Reason = keyof typeof reasons

function row(
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
