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
  readonly live?: unknown
  readonly subscription?: unknown
  readonly shareFetches?: unknown
  readonly canary?: unknown
  readonly mirror?: unknown
  readonly enums: object
  readonly resolvers?: Readonly<Record<string, { readonly rest?: unknown }>> | undefined
}

/** Combinations that contradict each other: the path of the key, and the mistake. */
export function serviceProblems(graphql: {
  readonly supergraph?: unknown
  readonly supergraphUrl?: unknown
  readonly subgraphs: Readonly<Record<string, Subgraph>>
}): [string[], string][] {
  const isComposed = graphql.supergraph !== undefined || graphql.supergraphUrl !== undefined
  return Object.entries(graphql.subgraphs).flatMap(([name, subgraph]) => {
    const found = subgraph.resolvers === undefined ? serverProblems(subgraph) : resolverProblems(subgraph)
    if (subgraph.resolvers !== undefined && subgraph.schema === undefined && isComposed)
      found.push([[], 'has resolvers, and needs the schema that they fill'])
    return found.map(([path, message]): [string[], string] => [['subgraphs', name, ...path], message])
  })
}

function serverProblems({ upstream, enums }: Subgraph): [string[], string][] {
  const problems: [string[], string][] = []
  if (upstream === undefined) problems.push([[], 'needs an upstream, or resolvers'])
  if (Object.keys(enums).length > 0) problems.push([['enums'], 'is for subgraphs with resolvers'])
  return problems
}

function resolverProblems(subgraph: Subgraph): [string[], string][] {
  const { upstream, path, live, resolvers = {}, canary, mirror, subscription, shareFetches } = subgraph
  const problems: [string[], string][] = []
  if (path !== '/graphql')
    problems.push([['path'], 'is that of a GraphQL server; resolvers have paths of their own'])
  if (live !== undefined)
    problems.push([['live'], 'asks a GraphQL server; resolvers fill the schema of a file'])
  for (const [key, value] of Object.entries({ subscription, shareFetches }))
    if (value !== undefined)
      problems.push([[key], 'is for GraphQL servers: resolvers are calls of one query'])
  const isCalled = Object.values(resolvers).some(({ rest }) => rest !== undefined)
  if (isCalled && upstream === undefined) problems.push([[], 'needs an upstream for its rest calls'])
  for (const [key, value] of Object.entries({ upstream, canary, mirror })) {
    if (isCalled || value === undefined) continue
    const message =
      'is asked by nothing: no resolver has a rest call (grpc calls go where grpc.services says)'
    problems.push([[key], message])
  }
  return problems
}
