import { z } from 'zod'
import { isComposed } from '../core/composed-value.ts'
import { duration, size } from '../core/units.ts'
import { aggregateProblems } from './aggregate-problems.ts'
import { grpcCallKeys, refuseBodyOfGet, restCallKeys } from './call-keys.ts'
import { errorsAs, operationPartSchema, way } from './operation-schema.ts'
import { valueText } from './text-keys.ts'

const restPartSchema = z
  .strictObject({
    upstream: z.string().describe('Who answers: a name under upstreams.'),
    ...restCallKeys(isComposed),
    query: z
      .record(z.string(), valueText(isComposed))
      .default({})
      .describe('Parameters; one whose text comes out empty is left out.'),
  })
  .superRefine(refuseBodyOfGet)

const grpcPartSchema = z.strictObject(grpcCallKeys(isComposed))

const partSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9_-]{0,62}$/, 'parts are named by letters, digits, "_" and "-"')
    .describe('Unique; what dependsOn and the values parts.<name> refer to.'),
  rest: restPartSchema.optional().describe('An HTTP call.'),
  grpc: grpcPartSchema.optional().describe('A unary gRPC call.'),
  graphql: operationPartSchema.optional().describe('A GraphQL operation.'),
  dependsOn: z
    .array(z.string())
    .default([])
    .describe('Parts whose answers are awaited; their values may stand in texts. Others run side by side.'),
  timeout: duration()
    .optional()
    .describe('Time for this part, in which its calls have the limits of their upstreams too.'),
  optional: z.boolean().default(false).describe('Whether the answer is given without it when it fails.'),
  select: z
    .array(way())
    .default([])
    .describe('What clients get of its answer: id, address.city, items.id (of each item). Empty: all.'),
  as: z.string().min(1).optional().describe('The member of the answer. Default: the name.'),
  merge: z
    .boolean()
    .default(false)
    .describe(
      'Whether the members of its answer stand at the top instead. Of two that are alike the first part wins.',
    ),
})

/** `routes[].aggregate` */
export const aggregateSchema = z
  .strictObject({
    parts: z.array(partSchema).min(1).max(32).describe('The calls that the answer is put together from.'),
    answerBytes: size()
      .prefault('1mb')
      .describe('The most that the answer of one part may have; of a GraphQL part, that of one fetch.'),
    errorsAs: errorsAs(),
  })
  .superRefine((aggregate, context) => {
    for (const { path, message } of aggregateProblems(aggregate))
      context.addIssue({ code: 'custom', path: [...path], message })
  })
