import type { Build } from './build.ts'
import { ConfigError, type Problem } from './config/problem.ts'
import type { SubgraphConfig } from './config/schema.ts'
import { parseJson } from './core/json-value.ts'
import { messageOf } from './core/message-of.ts'
import { within } from './core/mistake.ts'
import { credentialHeaders } from './credential-headers.ts'
import type { HeadersFor } from './front-ends/graphql/subgraphs/request-headers.ts'
import type { ResolverOptions, ServiceCallOptions } from './front-ends/graphql/subgraphs/services/resolver.ts'
import { ServiceMistakes } from './front-ends/graphql/subgraphs/services/service-mistakes.ts'
import type { Subgraph } from './front-ends/graphql/subgraphs/subgraph.ts'
import type { ErrorPolicy } from './front-ends/graphql/subgraphs/subgraph-errors.ts'
import type { GrpcFrontEnd } from './front-ends/grpc/front-end.ts'
import { compileHttpCall } from './front-ends/rest/compile-call.ts'
import type { Destination } from './traffic/destination.ts'

type ResolverConfig = NonNullable<SubgraphConfig['resolvers']>[string]

/** A subgraph that has no GraphQL server, as it is configured. */
export interface ServiceConfig {
  readonly name: string
  readonly config: SubgraphConfig
  /** Of its rest calls; undefined: it has none. */
  readonly destination: Destination | undefined
  /** Of its rest calls. */
  readonly headersFor: HeadersFor
  readonly errors: ErrorPolicy
  /** Whose methods its grpc calls name. */
  readonly grpc: GrpcFrontEnd | undefined
}

/** Builds a subgraph out of REST and gRPC calls. Rejects with a ConfigError that has every mistake, in the configuration and in the schema. */
export async function buildGraphqlService(build: Build, service: ServiceConfig): Promise<Subgraph> {
  const { name, config } = service
  const { createServiceSubgraph } = await import(
    './front-ends/graphql/subgraphs/services/service-subgraph.ts'
  )
  const place = ['graphql', 'subgraphs', name]
  // A composed supergraph says what clients may ask for, and a service's own schema how it is asked.
  const sdl = build.read(config.schema ?? '', [...place, 'schema'])
  const resolvers = Object.entries(config.resolvers ?? {}).map(([field, resolver]): ResolverOptions => {
    const { rest, grpc, value } = resolver
    const path = [...place, 'resolvers', field]
    const call =
      rest === undefined
        ? rpcCall(build, service, { resolver, path })
        : httpCall(service, { ...resolver, rest })
    return { name: field, written: rest ?? grpc ?? value, call }
  })
  const options = {
    name,
    sdl,
    resolvers,
    errors: service.errors,
    enums: config.enums,
    credentialHeaders: credentialHeaders(build.config),
  }
  try {
    return createServiceSubgraph(options, build.log)
  } catch (error) {
    if (!(error instanceof ServiceMistakes)) throw build.error([...place, 'schema'], messageOf(error))
    throw new ConfigError(
      error.mistakes.flatMap(({ path, line, column, message }): readonly Problem[] =>
        path === undefined
          ? [{ file: config.schema ?? name, line, column, path: `subgraph "${name}"`, message }]
          : build.error([...place, ...path], message).problems,
      ),
    )
  }
}

function httpCall(
  { destination, headersFor }: ServiceConfig,
  { rest, ...resolver }: ResolverConfig & { readonly rest: NonNullable<ResolverConfig['rest']> },
): ServiceCallOptions | undefined {
  // Checked with the configuration: who has rest calls has an upstream.
  if (destination === undefined) return undefined
  return {
    ...answerOptions(resolver),
    kind: 'rest',
    shapes: undefined,
    prepare(place, idempotent) {
      const repeat = idempotent === undefined ? {} : { idempotent }
      const options = { ...rest, ...repeat, body: rest.body, destination, headersFor }
      const call = within(['rest'], () => compileHttpCall(options, place))
      return async (x, limits) => {
        const outcome = await call(x, limits)
        return 'value' in outcome ? outcome : { ...outcome, said: '' }
      }
    },
  }
}

function rpcCall(
  build: Build,
  { grpc: frontEnd }: ServiceConfig,
  { resolver, path }: { readonly resolver: ResolverConfig; readonly path: readonly PropertyKey[] },
): ServiceCallOptions | undefined {
  const { grpc } = resolver
  if (grpc === undefined) return undefined
  if (frontEnd === undefined) throw build.error([...path, 'grpc'], 'needs grpc, which is not configured')
  const method = unaryMethod(build, frontEnd, { name: grpc.method, path })
  return {
    ...answerOptions(resolver),
    kind: 'grpc',
    shapes: method.shapes,
    prepare(place, idempotent) {
      const options = idempotent === undefined ? { whole: true } : { whole: true, idempotent }
      const call = within(['grpc', 'request'], () => method.prepare(grpc.request, place, options))
      return async (x, limits) => {
        const outcome = await call(x, limits)
        return 'json' in outcome ? { value: parseJson(outcome.json) } : outcome
      }
    },
  }
}

type AnswerOptions = Pick<ServiceCallOptions, 'at' | 'match' | 'batchSize' | 'nullIfNotFound'>

function answerOptions({ at, match, batchSize, nullIfNotFound }: ResolverConfig): AnswerOptions {
  const members = typeof match === 'string' ? { [match]: match } : match
  return {
    at: at?.split('.') ?? [],
    match: members && new Map(Object.entries(members)),
    batchSize,
    nullIfNotFound,
  }
}

function unaryMethod(
  build: Build,
  frontEnd: GrpcFrontEnd,
  { name, path }: { readonly name: string; readonly path: readonly PropertyKey[] },
): ReturnType<GrpcFrontEnd['unaryMethod']> {
  try {
    return frontEnd.unaryMethod(name)
  } catch (error) {
    throw build.error([...path, 'grpc', 'method'], messageOf(error))
  }
}
