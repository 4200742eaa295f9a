import { GatewayError } from '../../core/error.ts'
import type { HttpExchange } from '../../core/http-exchange.ts'
import { shorterLimit, type TimeLimit } from './time-limit.ts'

/**
 * The shorter of `Grpc-Timeout` (what remains of it since the request came) and `configuredMs` (0: none). Throws
 * INVALID_ARGUMENT for a header that is none, DEADLINE_EXCEEDED for one that has run out.
 */
export function timeLimit(x: HttpExchange, configuredMs: number): TimeLimit {
  const header = x.header('grpc-timeout')
  if (header === undefined) return { timeoutMs: configuredMs, clientDeadline: false }
  const match = /^(\d{1,8})([HMSmun])$/.exec(header)
  if (match === null) {
    throw new GatewayError(
      'INVALID_ARGUMENT',
      'Grpc-Timeout must be up to eight digits and one of H, M, S, m, u, n.',
    )
  }
  const givenMs = Number(match[1]) * (unitMs[match[2] as keyof typeof unitMs] ?? 1)
  return shorterLimit(x, givenMs, configuredMs)
}

/** gRPC PROTOCOL-HTTP2, "Timeout". */
const unitMs = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 0.001, n: 0.000_001 } as const
