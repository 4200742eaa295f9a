import { z } from 'zod'
import { duration, size } from '../core/units.ts'
import { object } from './declare.ts'

/** `graphql.subgraphs.*.subscription` */
export const subgraphSubscriptionKey = z
  .strictObject({
    protocol: z
      .enum(['ws', 'sse'])
      .default('ws')
      .describe('ws: WebSockets in the graphql-transport-ws protocol. sse: server-sent events.'),
    path: z
      .string()
      .startsWith('/')
      .optional()
      .describe("Path of its endpoint. Default: the subgraph's own."),
  })
  .optional()
  .describe('How the subgraph takes subscriptions, where it has any. Default: WebSockets at its path.')

const webSocket = object({
  enabled: z.boolean().default(true).describe('Whether there are any.'),
  connectionParams: z
    .boolean()
    .default(false)
    .describe(
      'Whether clients may say their credentials in the payload of connection_init, which browsers need where they are no cookies. The handshake then lets in whoever shows none; who does not show them within initTimeout is cut off.',
    ),
  initTimeout: duration().prefault('5s').describe('How long a client may take for connection_init.'),
  ping: duration()
    .prefault('15s')
    .describe('How often a client is pinged; one that was silent twice is cut off. 0s: never.'),
  messageBytes: size().prefault('256kb').describe('Largest message of a client.'),
  messagesPerSecond: z
    .int()
    .min(1)
    .default(50)
    .describe('Messages that a connection may send, with a second of them at once.'),
  operations: z.int().min(1).default(100).describe('Operations that a connection may have under way.'),
})

/** `graphql.subscriptions` */
export const subscriptionsKey = object({
  max: z.int().min(0).default(10_000).describe('Subscriptions that may be open in this process. 0: none.'),
  perCaller: z
    .int()
    .min(1)
    .default(100)
    .describe('Subscriptions that one user may have open, or one address of which nobody is known.'),
  chargeEvents: z
    .boolean()
    .default(false)
    .describe(
      'Whether each event is charged what its operation costs, at rate limits with cost: operation. One that is refused ends the subscription.',
    ),
  reconnects: z
    .int()
    .min(0)
    .max(20)
    .default(5)
    .describe(
      'How often a subscription that a subgraph broke off is asked for again, one time after the other, before its clients are told.',
    ),
  heartbeat: duration()
    .refine((ms) => ms >= 1_000, 'must be at least 1s')
    .prefault('10s')
    .describe('How often an answer by server-sent events or multipart shows that it lives.'),
  webSocket: webSocket.describe('WebSockets at the path, for subscriptions, queries and mutations.'),
}).describe('Subscriptions (docs/graphql-subscriptions.md).')
