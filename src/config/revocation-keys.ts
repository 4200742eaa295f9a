import { z } from 'zod'
import { object } from './declare.ts'

/** `auth.revocation`. */
export const revocationKeys = object({
  maxEntries: z
    .int()
    .min(100)
    .max(5_000_000)
    .default(200_000)
    .describe(
      'Revocations at the most, about 300 bytes each; more are refused. The last tenth is for users and consumers.',
    ),
  required: z
    .boolean()
    .default(false)
    .describe(
      'Whether /readyz says 503 until the list was read from stores.redis, or else stores.database, once.',
    ),
  endStreams: z
    .boolean()
    .default(true)
    .describe('Whether WebSockets, gRPC streams and long answers end when their credential is revoked.'),
  endStreamsAtExpiry: z.boolean().default(false).describe('Whether they end when their credential expires.'),
}).describe(
  'Credentials that are no longer accepted; kept and shared by stores.redis, or else stores.database.',
)
