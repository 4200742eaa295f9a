import { type ReasonEntry, row } from './reason-entry.ts'

/** The part of the table of reasons that says how a call of an upstream fails. */
export const upstreamReasons = {
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
} as const satisfies Readonly<Record<string, ReasonEntry>>
