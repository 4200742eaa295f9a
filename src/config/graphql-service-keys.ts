import { z } from 'zod'
import { isResolved } from '../core/resolved-value.ts'
import { textProblem } from '../core/text-template.ts'
import { grpcCallKeys, refuseBodyOfGet, restCallKeys } from './call-keys.ts'
import { way } from './operation-schema.ts'
import { jsonWithTexts } from './text-keys.ts'

const restSchema = z
  .strictObject({
    ...restCallKeys(isResolved),
    query: z
      .record(z.string(), z.union([z.string(), z.array(z.string()).length(1)]))
      .default({})
      .superRefine((query, context) => {
        for (const [name, written] of Object.entries(query)) {
          const message = textProblem(typeof written === 'string' ? written : (written[0] ?? ''), isResolved)
          if (message !== undefined) context.addIssue({ code: 'custom', path: [name], message })
        }
      })
      .describe(
        'Parameters; one whose text comes out empty is left out. A list of one text is a parameter for each value of it, else the values of a list are joined by commas.',
      ),
  })
  .superRefine(refuseBodyOfGet)

const resolverSchema = z
  .strictObject({
    rest: restSchema.optional().describe("An HTTP call to the subgraph's upstream."),
    grpc: z.strictObject(grpcCallKeys(isResolved)).optional().describe('A unary gRPC call.'),
    value: jsonWithTexts(isResolved)
      .optional()
      .describe(
        'No call: JSON with values in its texts, mostly members of the object (docs/graphql-services.md).',
      ),
    at: way().optional().describe('Where in the answer of the call the value is: items, or data.user.'),
    match: z
      .union([z.string(), z.record(z.string(), z.string())])
      .optional()
      .describe(
        'By what the items of the answer to a batch belong to the objects: id, or {userId: id} (member of the item: member of the object). Default: by their order.',
      ),
    batchSize: z
      .int()
      .min(1)
      .max(1_000)
      .optional()
      .describe('Objects of one batch at the most. Default: 100.'),
    nullIfNotFound: z
      .boolean()
      .default(false)
      .describe('Whether 404 or NOT_FOUND is null and no error; with match, what is not in the answer.'),
  })
  .superRefine((resolver, context) => {
    const issue = (path: string[], message: string): void =>
      context.addIssue({ code: 'custom', path, message })
    const kinds = (['rest', 'grpc', 'value'] as const).filter((key) => resolver[key] !== undefined)
    if (kinds.length === 0) issue([], 'says nowhere what it is: set one of rest, grpc and value')
    for (const key of kinds.slice(1)) issue([key], `excludes ${kinds[0]}: a field is filled in one way`)
    for (const key of ['at', 'match', 'batchSize'] as const)
      if (resolver.value !== undefined && resolver[key] !== undefined) issue([key], 'is for calls')
    if (resolver.value !== undefined && resolver.nullIfNotFound) issue(['nullIfNotFound'], 'is for calls')
  })

/** Keys of a subgraph that has no GraphQL server of its own. */
export const serviceKeys = {
  resolvers: z
    .record(
      z
        .string()
        .regex(/^[_A-Za-z]\w*(?:\.[_A-Za-z]\w*)?$/, 'is no field: write Query.book, or Book for an entity'),
      resolverSchema,
    )
    .optional()
    .describe(
      'For a service without a GraphQL server: what fills the fields of its schema (Query.book, Order.user) and loads its entities (Book).',
    ),
  enums: z
    .record(z.string(), z.record(z.string(), z.string()))
    .default({})
    .describe("Values of the schema's enums that the service spells otherwise: {Genre: {NOVEL: FICTION}}."),
}

interface Subgraph {
  readonly upstream?: string | undefined
  readonly path: string
  readonly schema?: string | undefined
  readonly canary?: unknown
  readonly mirror?: unknown
  readonly enums: object
  readonly resolvers?: Readonly<Record<string, { readonly rest?: unknown }>> | undefined
}

/** Combinations that contradict each other, each with its key. */
export function serviceProblems(
  subgraph: Subgraph,
): readonly { readonly path: readonly string[]; readonly message: string }[] {
  const { upstream, path, schema, resolvers, canary, mirror, enums } = subgraph
  if (resolvers === undefined) {
    return [
      ...(upstream === undefined ? [{ path: [], message: 'needs an upstream, or resolvers' }] : []),
      ...(Object.keys(enums).length > 0
        ? [{ path: ['enums'], message: 'is for subgraphs with resolvers' }]
        : []),
    ]
  }
  const calls = Object.values(resolvers).some(({ rest }) => rest !== undefined)
  const unused = Object.entries({ upstream, canary, mirror }).filter(([, value]) => value !== undefined)
  return [
    ...(schema === undefined
      ? [{ path: [], message: 'has resolvers, and needs the schema that they fill' }]
      : []),
    ...(path !== '/graphql'
      ? [{ path: ['path'], message: 'is that of a GraphQL server; resolvers have paths of their own' }]
      : []),
    ...(calls && upstream === undefined
      ? [{ path: [], message: 'needs an upstream for its rest calls' }]
      : []),
    ...(calls
      ? []
      : unused.map(([key]) => ({
          path: [key],
          message:
            'is asked by nothing: no resolver has a rest call (gRPC calls go where grpc.services says)',
        }))),
  ]
}
