import type { Build } from './build.ts'
import type { RouteConfig } from './config/schema.ts'
import { messageOf } from './core/message-of.ts'
import { credentialCookies, credentialHeaders } from './credential-headers.ts'
import type { GraphqlFrontEnd } from './front-ends/graphql/front-end.ts'
import type { GrpcFrontEnd } from './front-ends/grpc/front-end.ts'
import type { PartCallOptions } from './front-ends/rest/aggregate/compile-part.ts'
import { usualHeaders } from './front-ends/rest/compile-call.ts'
import type { RouteAnswer } from './front-ends/rest/front-end.ts'
import type { RespondOptions } from './front-ends/rest/respond.ts'
import type { OperationOptions } from './front-ends/rest/stored-operation.ts'

/** A route and those whom it may call besides upstreams. */
export interface AnsweredRoute {
  readonly route: RouteConfig
  readonly index: number
  readonly graphql: GraphqlFrontEnd | undefined
  readonly grpc: GrpcFrontEnd | undefined
}

/** Who answers a route, and how. Checked with the configuration: exactly one of them is there. */
export function routeAnswer(build: Build, answered: AnsweredRoute): RouteAnswer {
  const { route, index } = answered
  const { redirect, respond, aggregate, graphqlOperation, fallback } = route
  if (redirect !== undefined) return { kind: 'redirect', ...redirect }
  if (respond !== undefined)
    return { kind: 'respond', ...staticAnswer(build, respond, ['routes', index, 'respond']) }
  const maxBodyBytes = route.bodyBytes ?? build.config.server.limits.bodyBytes
  const whole = { timeoutMs: unlimited(route.timeout) ?? wholeTimeoutMs, maxBodyBytes }
  if (graphqlOperation !== undefined) {
    const { status, errorsAs } = graphqlOperation
    const operation = operationOf(build, answered, { config: graphqlOperation, path: ['graphqlOperation'] })
    return { kind: 'operation', ...operation, ...whole, status, errorsAs }
  }
  if (aggregate !== undefined) {
    const { errorsAs, answerBytes: maxAnswerBytes } = aggregate
    const parts = aggregate.parts.map((part, at) => ({
      ...part,
      as: part.merge ? undefined : (part.as ?? part.name),
      timeoutMs: unlimited(part.timeout),
      call: partCall(build, answered, { part, path: ['aggregate', 'parts', at] }),
    }))
    return { kind: 'aggregate', ...whole, errorsAs, maxAnswerBytes, parts }
  }
  return {
    kind: 'proxy',
    destination: build.destination(route.id, route),
    rewrite: route.rewrite,
    timeoutMs: route.timeout,
    maxBodyBytes,
    hiddenHeaders: route.forwardCredentials ? new Set() : credentialHeaders(build.config),
    hiddenCookies: route.forwardCredentials ? [] : credentialCookies(build.config),
    fallback: fallback && staticAnswer(build, fallback.respond, ['routes', index, 'fallback', 'respond']),
  }
}

type RespondConfig = NonNullable<RouteConfig['respond']>

/** @param path where it is written, for messages about its file. */
function staticAnswer(build: Build, respond: RespondConfig, path: readonly PropertyKey[]): RespondOptions {
  const { status, headers, json, body = '', file } = respond
  if (json !== undefined) return { status, headers, body: { kind: 'json', json } }
  const bytes = file === undefined ? Buffer.from(body) : build.readBytes(file, [...path, 'file'])
  const ofText = body === '' ? '' : 'text/plain; charset=utf-8'
  const contentType = file === undefined ? ofText : 'application/octet-stream'
  return { status, headers, body: { kind: 'bytes', bytes, contentType } }
}

/** The key that a mistake in an answer belongs to. */
export function answerKey(route: RouteConfig | undefined): string {
  const keys = ['redirect', 'respond', 'aggregate', 'graphqlOperation'] as const
  return keys.find((key) => route?.[key] !== undefined) ?? 'rewrite'
}

/** For the answer of an aggregation or an operation, where the route says nothing. */
const wholeTimeoutMs = 30_000

/** 0 is no limit. */
function unlimited(timeoutMs: number | undefined): number | undefined {
  return timeoutMs === 0 ? Number.POSITIVE_INFINITY : timeoutMs
}

type PartConfig = NonNullable<RouteConfig['aggregate']>['parts'][number]

function partCall(
  build: Build,
  answered: AnsweredRoute,
  { part, path }: { readonly part: PartConfig; readonly path: readonly PropertyKey[] },
): PartCallOptions {
  const { rest, grpc, graphql } = part
  const place = ['routes', answered.index, ...path]
  if (rest !== undefined) {
    const { upstream, ...call } = rest
    const destination = build.destination(`${answered.route.id}/${part.name}`, { upstream })
    const credentials = [...credentialHeaders(build.config), 'cookie']
    const headersFor = usualHeaders(credentials)
    return { kind: 'rest', ...call, body: rest.body, destination, headersFor }
  }
  if (grpc !== undefined) {
    if (answered.grpc === undefined)
      throw build.error([...place, 'grpc'], 'needs grpc, which is not configured')
    try {
      return { kind: 'grpc', method: answered.grpc.unaryMethod(grpc.method), request: grpc.request }
    } catch (error) {
      throw build.error([...place, 'grpc', 'method'], messageOf(error))
    }
  }
  if (graphql === undefined) throw build.error(place, 'says nowhere what is called')
  const operation = operationOf(build, answered, { config: graphql, path: [...path, 'graphql'] })
  return { kind: 'graphql', ...operation }
}

interface OperationConfig {
  readonly operation: string
  readonly operationName?: string | undefined
  readonly variables: Readonly<Record<string, unknown>>
  readonly at?: string | undefined
  readonly partial: 'answer' | 'refuse'
}

function operationOf(
  build: Build,
  { graphql, index }: AnsweredRoute,
  { config, path }: { readonly config: OperationConfig; readonly path: readonly PropertyKey[] },
): OperationOptions {
  if (graphql === undefined)
    throw build.error(['routes', index, ...path], 'needs graphql, which is not configured')
  const { operation: text, operationName, variables, at, partial } = config
  return {
    at,
    partial,
    prepare: (place) => graphql.prepare({ text, operationName, variables, at }, place),
  }
}
