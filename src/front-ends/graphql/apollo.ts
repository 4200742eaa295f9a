import type {
  ApolloServer,
  ApolloServerPlugin,
  HTTPGraphQLRequest,
  HTTPGraphQLResponse,
} from '@apollo/server'
import { type DocumentNode, type GraphQLFormattedError, type GraphQLSchema, parse } from 'graphql'
import type { CallLimits } from '../../core/call-limits.ts'
import { GatewayError } from '../../core/error.ts'
import type { HttpExchange } from '../../core/http-exchange.ts'
import type { Logger } from '../../core/log.ts'
import { essence } from '../../core/media-type.ts'
import { BoundedMap } from './bounded-map.ts'
import type { GuardOptions } from './create-guard.ts'
import { identified, spellError } from './errors.ts'
import { guardedGateway } from './guarded-gateway.ts'
import type { AnswerType } from './media-type.ts'
import { type OperationRequest, preflighted } from './operation-request.ts'
import { type OperationContext, SubgraphSource, type SubgraphSourceOptions } from './subgraph-source.ts'
import { withoutEnforcedFeatures } from './supergraph-features.ts'

/** What {@link startApollo} needs. */
export interface ApolloOptions {
  readonly supergraphSdl: string
  readonly subgraphs: readonly SubgraphSourceOptions[]
  readonly introspection: boolean
  readonly maxTokens: number
  readonly guard: GuardOptions
  readonly log: Logger
}

/** Apollo Server over Apollo Gateway: validates, plans and executes; no HTTP server of its own. */
export interface Apollo {
  /** What clients may ask for. */
  readonly schema: GraphQLSchema
  /** Answers a request of GraphQL over HTTP. Rejects with a GatewayError when its operation is not to be run. */
  execute(x: HttpExchange, request: OperationRequest, type: AnswerType): Promise<HTTPGraphQLResponse>
  /** Runs an operation of an exchange that is about more; it is planned the first time. Rejects like `execute`. */
  run(x: HttpExchange, request: OperationRequest, limits: CallLimits): Promise<RunResult>
  stop(): Promise<void>
}

/** What an operation came to. */
export interface RunResult {
  readonly data: unknown
  readonly errors: readonly GraphQLFormattedError[]
  /** What its calls failed with. */
  readonly faults: readonly GatewayError[]
}

/** Loads a supergraph into Apollo. Rejects with an Error when it does not load or names a subgraph that is not configured. */
export async function startApollo(options: ApolloOptions): Promise<Apollo> {
  const { server, headerMap, schema } = await createServer(options)
  await server.start()
  return {
    schema: schema(),
    execute: async (x, request, type) => {
      const contextValue: OperationContext = { x, faults: [], refusals: [] }
      const answer = await server.executeHTTPGraphQLRequest({
        httpGraphQLRequest: httpRequest(x, request, headerMap(x, type)),
        context: async () => contextValue,
      })
      for (const refusal of contextValue.refusals) throw refusal
      return answer
    },
    run: async (x, { variables = {}, ...request }, limits) => {
      const contextValue: OperationContext = { x, faults: [], refusals: [], limits }
      const { body } = await server.executeOperation({ ...request, variables }, { contextValue })
      for (const refusal of contextValue.refusals) throw refusal
      if (body.kind !== 'single') throw new Error('The answer comes in parts.')
      const { data, errors = [] } = body.singleResult
      return { data, errors, faults: contextValue.faults }
    },
    stop: () => server.stop(),
  }
}

async function createServer(options: ApolloOptions): Promise<{
  server: ApolloServer<OperationContext>
  headerMap(x: HttpExchange, type: AnswerType): HTTPGraphQLRequest['headers']
  schema(): GraphQLSchema
}> {
  // Must be set before @apollo/gateway is loaded: it sends figures to Apollo every hour otherwise.
  process.env.APOLLO_TELEMETRY_DISABLED = 'true'
  const [{ ApolloGateway }, { ApolloServer, HeaderMap }, disabled] = await Promise.all([
    import('@apollo/gateway'),
    import('@apollo/server'),
    import('@apollo/server/plugin/disabled'),
  ])
  const { introspection, log } = options
  const logger = apolloLog(log)
  const supergraph = parse(options.supergraphSdl)
  const gateway = new ApolloGateway({
    supergraphSdl: withoutEnforcedFeatures(supergraph),
    logger,
    debug: false,
    validateSupergraph: true,
    __exposeQueryPlanExperimental: false,
    buildService: ({ name }) => new SubgraphSource(subgraphNamed(name, options)),
  })
  const server = new ApolloServer<OperationContext>({
    gateway: guardedGateway(gateway, { ...options.guard, supergraph, log }),
    logger,
    introspection,
    nodeEnv: 'production',
    csrfPrevention: { requestHeaders: preflighted },
    hideSchemaDetailsFromClientErrors: !introspection,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    allowBatchedHttpRequests: false,
    persistedQueries: false,
    parseOptions: { maxTokens: options.maxTokens },
    documentStore: documentStore(),
    formatError: (error) => spellError(error, !introspection),
    plugins: [
      disabled.ApolloServerPluginUsageReportingDisabled(),
      disabled.ApolloServerPluginSchemaReportingDisabled(),
      disabled.ApolloServerPluginInlineTraceDisabled(),
      disabled.ApolloServerPluginLandingPageDisabled(),
      disabled.ApolloServerPluginCacheControlDisabled(),
      outcome(log),
    ],
  })
  return {
    server,
    headerMap: (x, type) => new HeaderMap(seenByApollo(x, type)),
    schema: () => {
      if (gateway.schema === undefined) throw new Error('The supergraph is not loaded.')
      return gateway.schema
    },
  }
}

function subgraphNamed(name: string, options: ApolloOptions): SubgraphSourceOptions {
  const subgraph = options.subgraphs.find((item) => item.name === name)
  if (subgraph === undefined)
    throw new Error(`The supergraph names a subgraph "${name}" that is not configured.`)
  return subgraph
}

/** Apollo gets the few headers that it acts on, not all of the client's. */
function seenByApollo(x: HttpExchange, type: AnswerType): [string, string][] {
  const headers: [string, string][] = [['accept', type]]
  for (const name of ['content-type', ...preflighted]) {
    const value = x.header(name)
    if (value !== undefined) headers.push([name, name === 'content-type' ? essence(value) : value])
  }
  return headers
}

/** The request as it was read and checked, in Apollo's form; its own reading of the raw one could differ. */
function httpRequest(
  x: HttpExchange,
  request: OperationRequest,
  headers: HTTPGraphQLRequest['headers'],
): HTTPGraphQLRequest {
  if (x.request.method === 'POST') return { method: 'POST', headers, search: '', body: request }
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(request)) {
    parameters.set(name, typeof value === 'string' ? value : JSON.stringify(value))
  }
  return { method: 'GET', headers, search: `?${parameters}`, body: undefined }
}

/** Notes on the exchange how its operation ended, and adds the ids to its errors. */
function outcome(log: Logger): ApolloServerPlugin<OperationContext> {
  return {
    requestDidStart: async () => ({
      didEncounterErrors: async ({ contextValue: { x, faults }, errors }) => {
        for (const error of errors) {
          if (error.extensions?.code !== undefined || error instanceof GatewayError) continue
          faults.push(
            new GatewayError('INTERNAL', 'The gateway failed while it handled the request.', {
              cause: error,
            }),
          )
          log.error(
            { err: error, request_id: x.id, trace_id: x.trace.traceId },
            'A GraphQL operation failed.',
          )
        }
      },
      willSendResponse: async ({ contextValue: { x, faults, limits }, response: { body } }) => {
        if (body.kind !== 'single') return
        const { data, errors } = body.singleResult
        for (const { extensions } of errors ?? []) if (extensions !== undefined) identified(x, extensions)
        const nothing = !data || Object.values(data).every((value) => value === null)
        // Of a stored operation its route says what its failure means.
        if (nothing && x.error === undefined && limits === undefined) x.error = faults[0]
      },
    }),
  }
}

/** Validated documents by the hash of their text: 1,000, none longer than 16 kB. */
function documentStore(): {
  get(key: string): Promise<DocumentNode | undefined>
  set(key: string, document: DocumentNode): Promise<void>
  delete(key: string): Promise<boolean>
} {
  const documents = new BoundedMap<string, DocumentNode>(1_000)
  return {
    get: async (key) => documents.get(key),
    set: async (key, document) => {
      if ((document.loc?.end ?? 0) <= 16_384) documents.set(key, document)
    },
    delete: async (key) => documents.delete(key),
  }
}

function apolloLog(log: Logger): Record<'debug' | 'info' | 'warn' | 'error', (message?: unknown) => void> {
  const line = (write: (fields: object, message: string) => void) => (message?: unknown) =>
    write({ source: 'apollo' }, String(message))
  const debug = line((fields, message) => log.debug(fields, message))
  return {
    debug,
    info: debug,
    warn: line((fields, message) => log.warn(fields, message)),
    error: line((fields, message) => log.error(fields, message)),
  }
}
