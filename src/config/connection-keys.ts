import { z } from 'zod'
import { duration } from '../core/units.ts'
import { object } from './declare.ts'

/** The connections to each target of an upstream. */
export const connectionKeys = object({
  max: z
    .int()
    .min(1)
    .default(256)
    .describe('Connections to one target at the most. Calls wait for one no longer than they may take.'),
  keepAlive: duration()
    .prefault('4s')
    .describe(
      "How long an idle connection is kept; below the backend's own. What a backend says with Keep-Alive: timeout=N counts, less two seconds, when it is shorter.",
    ),
  maxAge: duration()
    .prefault('5m')
    .refine((ms) => ms === 0 || ms >= 1_000, 'expected 0s, or 1s at least')
    .describe(
      'How long a connection takes new calls, so that traffic follows a name to its new addresses; those on it go on. 0s: as long as it lives.',
    ),
  reuse: z
    .enum(['always', 'idempotent'])
    .default('always')
    .describe(
      'Which calls may go out on a kept connection. With idempotent a POST or a mutation has one of its own: it cannot meet one that the backend closes just then, and costs a handshake.',
    ),
  http2: z
    .boolean()
    .default(false)
    .describe(
      'HTTP/2 for REST and subgraphs: https targets choose it by ALPN, http targets must speak it at once. WebSockets stay on HTTP/1.1; gRPC has its own HTTP/2.',
    ),
})
  .refine(
    ({ reuse, http2 }) => reuse === 'always' || !http2,
    'reuse: idempotent is for HTTP/1.1: calls of HTTP/2 share their connections',
  )
  .describe('Connections to each target.')
