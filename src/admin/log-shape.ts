import { z } from 'zod'

const attempt = z.strictObject({
  target: z.string(),
  status: z.int().optional().describe('What it answered: of HTTP; of a gRPC call its code. Absent: nothing.'),
  durationMs: z.number().describe('To the head of its answer, or to the failure.'),
  failed: z.string().optional().describe('Why it was no good; what follows it was tried for that reason.'),
  cause: z.string().optional(),
  lost: z.literal(true).optional().describe('Another attempt beside it was faster.'),
})

const call = z.strictObject({
  place: z
    .string()
    .describe('Whose call it was: the route, graphql/accounts, grpc/library.v1.LibraryService.'),
  upstream: z.string(),
  method: z.string().describe('Of HTTP, or of gRPC.'),
  durationMs: z.number(),
  shared: z.literal(true).optional().describe('It has the answer of another call that was under way.'),
  canary: z.boolean().optional(),
  reason: z.string().optional().describe('Why it failed as a whole.'),
  attempts: z.array(attempt),
  attemptsOmitted: z.int().optional(),
})

/** One request in the log, as OpenAPI has it. */
export const entryShape = z.strictObject({
  id: z.string(),
  at: z.iso.datetime().describe('When it settled.'),
  traceId: z.string(),
  spanId: z.string(),
  requestId: z.string(),
  node: z.string(),
  protocol: z.string(),
  route: z.string(),
  template: z.string(),
  configVersion: z.int(),
  method: z.string(),
  path: z.string().describe('Without the query.'),
  status: z.int(),
  durationMs: z.number(),
  requestBytes: z.int(),
  responseBytes: z.int(),
  clientAddress: z.string(),
  userAgent: z.string().optional(),
  user: z.string().optional(),
  consumer: z.string().optional(),
  plugin: z.string().optional().describe('That refused it, or answered.'),
  error: z
    .strictObject({ code: z.string(), reason: z.string(), message: z.string(), cause: z.string().optional() })
    .optional(),
  calls: z.array(call),
  callsOmitted: z.int().optional(),
  attributes: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
})

/** A page of the log, and over what was searched. */
export const logPageShape = z.strictObject({
  items: z.array(entryShape).describe('Newest first.'),
  next: z.string().nullable().describe('The cursor of the next page; null: this is the last.'),
  searched: z.strictObject({
    memory: z.strictObject({
      entries: z.int(),
      since: z.iso.datetime().nullable().describe('When the oldest that this gateway remembers settled.'),
    }),
    database: z
      .strictObject({
        since: z.iso.datetime().nullable(),
        trouble: z.string().nullable().describe('Why it was not searched.'),
        pending: z.int().describe('Requests of this gateway that are not written yet.'),
        dropped: z.int().describe('Requests of this gateway that never will be.'),
      })
      .nullable()
      .describe('Null: the log is in memory only.'),
  }),
})
