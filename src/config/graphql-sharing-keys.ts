import { z } from 'zod'
import { object } from './declare.ts'

/** `graphql.sharing` */
export const sharingKey = object({
  fetches: z
    .boolean()
    .default(true)
    .describe(
      'Whether queries to a subgraph that are under way at a time and the same to the last byte (upstream, path, body, every header but those that name the request) are sent once. Mutations never are shared.',
    ),
  ignoreHeaders: z
    .array(z.string().toLowerCase())
    .default([])
    .describe(
      'Headers that no subgraph decides its answers by, besides traceparent, tracestate, X-Request-Id and X-Trace-ID: X-Forwarded-For and Forwarded, where clients of different addresses get the same.',
    ),
}).describe('Work that requests of different clients have in common (docs/graphql-headers.md).')
