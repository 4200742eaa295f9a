import { z } from 'zod'
import { duration, size } from '../core/units.ts'
import { object } from './declare.ts'

/** `timeouts` of an upstream. */
export const timeoutKeys = object({
  connect: duration().prefault('2s').describe('To open a connection.'),
  perTry: duration()
    .prefault('10s')
    .describe(
      'From the last byte of the request to the head of the answer of one try, after which another target is asked where that is safe; 0s: no limit. Streams have none.',
    ),
  request: duration()
    .prefault('30s')
    .describe(
      'From the request (its last byte) to the head of the answer, all tries together; 0s: no limit.',
    ),
  idle: duration()
    .prefault('60s')
    .describe('Between two pieces of an answer; 0s: no limit. Event streams need 0s or pings.'),
  total: duration()
    .prefault('0s')
    .describe(
      'For the call as a whole, to the last byte of its answer; 0s: no limit. Not for WebSockets and gRPC streams.',
    ),
  header: z
    .string()
    .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'expected the name of a header')
    .optional()
    .describe(
      'Tells the upstream how many milliseconds of request are left; gRPC has grpc-timeout in any case.',
    ),
}).describe('Time limits of a call.')

/** `retry` of an upstream. */
export const retryKeys = object({
  attempts: z.int().min(1).max(10).default(2).describe('Tries at the most, the first included; 1: no retry.'),
  statuses: z
    .array(z.int().min(500).max(599))
    .default([502, 503, 504])
    .describe(
      'Answers after which another target is asked, where doing it twice is doing it once; 503 stands for UNAVAILABLE of gRPC, too.',
    ),
  backoff: object({
    base: duration()
      .prefault('25ms')
      .describe('Before the second try at the most; doubles with each further one.'),
    max: duration().prefault('250ms').describe('Limit of that.'),
  })
    .refine(({ base, max }) => base <= max, { message: 'must not be below base', path: ['max'] })
    .describe('A random time up to this passes before a call is tried again.'),
  maxRetryAfter: duration()
    .prefault('1s')
    .describe(
      'The longest Retry-After that is waited for where no other target is left; 0s: the answer is passed on.',
    ),
  maxBodyBytes: size()
    .prefault('64kb')
    .describe('Bodies of requests that may be sent twice are kept for that up to this size; 0kb: never.'),
  idempotencyKey: z
    .boolean()
    .default(true)
    .describe('Whether a POST or PATCH with Idempotency-Key may be sent twice.'),
  nonIdempotent: z
    .boolean()
    .default(false)
    .describe(
      'DANGEROUS: requests and gRPC calls of every kind may be sent twice; for backends that notice. Mutations of GraphQL never are.',
    ),
  hedge: object({
    after: duration()
      .prefault('0s')
      .describe('A second target is asked when the first has not answered for so long; 0s: never.'),
  }).describe('For GET, queries, and gRPC methods without side effects: the first answer counts.'),
  budget: object({
    percent: z.int().min(0).max(1_000).default(20).describe('Of the calls of the last ten seconds.'),
    minPerSecond: z.int().min(0).default(3).describe('Allowed whatever the load is.'),
  }).describe('How many calls may be tried again or hedged, so that an upstream in trouble gets no flood.'),
}).describe('Calls that fail are tried on another target where that is safe.')
