import { createRequire } from 'node:module'
import {
  GraphQLError,
  type GraphQLFormattedError,
  type GraphQLSchema,
  Kind,
  parse,
  type SelectionNode,
} from 'graphql'
import { GatewayError, toGatewayError } from '../../../core/error.ts'
import { extensionsFor, extensionsOf } from '../errors.ts'
import type { Execution, OperationContext, OperationResult } from '../operation.ts'
import type { Plan } from '../planning/plan.ts'
import type { Subgraph } from '../subgraphs/subgraph.ts'
import type { ExecutorOptions } from './executor.ts'

// Until the executor of our own stands here.
export function stockExecutor(options: ExecutorOptions, supergraphSchema: GraphQLSchema) {
  process.env.APOLLO_TELEMETRY_DISABLED = 'true'
  const require = createRequire(import.meta.url)
  const { executeQueryPlan } = require('@apollo/gateway/dist/executeQueryPlan.js')
  const { buildOperationContext } = require('@apollo/gateway/dist/operationContext.js')
  const { buildSchema: buildFed } = require('@apollo/federation-internals')
  const { printSchema } = require('graphql')
  const api = buildFed(printSchema(options.schema))
  const serviceMap = Object.fromEntries(options.subgraphs.map((one) => [one.name, source(one)]))
  return async (plan: Plan, { operation, variables, context }: Execution): Promise<OperationResult> => {
    const answer = await executeQueryPlan(
      { kind: 'QueryPlan', ...(plan.node === undefined ? {} : { node: plan.node }) },
      serviceMap,
      { request: { variables }, context, logger: undefined, metrics: {} },
      buildOperationContext({
        schema: options.schema,
        operationDocument: plan.document === undefined ? operation.document : parse(plan.document),
        operationName: operation.name || undefined,
      }),
      supergraphSchema,
      api,
    )
    const clientKey = (key: string): string =>
      Object.hasOwn(plan.responseKeys, key) ? (plan.responseKeys[key] ?? key) : key
    const withClientKeys = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(withClientKeys)
      if (typeof value !== 'object' || value === null) return value
      return Object.fromEntries(
        Object.entries(value).map(([key, one]) => [clientKey(key), withClientKeys(one)]),
      )
    }
    return {
      data: answer.data === undefined ? undefined : JSON.stringify(withClientKeys(answer.data)),
      errors: (answer.errors ?? []).map((error: GraphQLError) => {
        const { path, ...rest } = told(error)
        if (path === undefined) return rest
        return { ...rest, path: path.map((key) => (typeof key === 'string' ? clientKey(key) : key)) }
      }),
    }
  }
}

function told(error: GraphQLError): GraphQLFormattedError {
  const json = error.toJSON()
  return typeof json.extensions?.reason === 'string'
    ? json
    : {
        ...json,
        message: 'The gateway failed while it handled the request.',
        extensions: extensionsFor('INTERNAL'),
      }
}

function source(subgraph: Subgraph) {
  return {
    // biome-ignore lint/suspicious/noExplicitAny: goes away with the file
    async process(options: any) {
      const { query = '', variables, operationName } = options.request
      const context = options.context as OperationContext
      try {
        const type = query.startsWith('mutation') ? 'mutation' : 'query'
        const answer = await subgraph.fetch(
          {
            type,
            query,
            operationName,
            variables: JSON.stringify(variables),
            body: JSON.stringify({ query, variables, operationName }),
          },
          context,
        )
        check(answer.data, answer.errors, variables?.representations, subgraph.name)
        return {
          ...(answer.data === undefined ? {} : { data: answer.data }),
          ...(answer.errors.length > 0 ? { errors: answer.errors } : {}),
        }
      } catch (thrown) {
        const error = toGatewayError(thrown)
        const last = context.x.calls.at(-1)
        if (last !== undefined) last.error ??= error
        context.faults.push(error)
        return failed(options, error, subgraph.name)
      }
    },
  }
}

function check(
  data: Record<string, unknown> | null | undefined,
  errors: readonly unknown[],
  representations: unknown,
  name: string,
): void {
  if (!Array.isArray(representations) || !data) return
  const entities = data._entities
  if (Array.isArray(entities) && entities.length === representations.length) return
  if (errors.length > 0 && (entities === null || entities === undefined)) return
  throw new GatewayError(
    'UPSTREAM_BAD_ANSWER',
    `Upstream "${name}" answered with other entities than asked for.`,
  )
}

// biome-ignore lint/suspicious/noExplicitAny: goes away with the file
function failed(options: any, error: GatewayError, serviceName: string) {
  const { message } = error
  const extensions = { ...extensionsOf(error), serviceName }
  const parent = 'pathInIncomingRequest' in options ? (options.pathInIncomingRequest ?? []) : []
  const list = parent.indexOf('@')
  if (list !== -1)
    throw new GraphQLError(message, { path: parent.slice(0, list), extensions, originalError: error })
  const fields = fieldsOf(options.request.query ?? '')
  return { errors: fields.map((field) => ({ message, path: [field], extensions: { ...extensions } })) }
}

function fieldsOf(query: string): string[] {
  const definition = parse(query, { noLocation: true }).definitions.find(
    (node) => node.kind === Kind.OPERATION_DEFINITION,
  )
  return [...new Set(responseKeys(definition?.selectionSet.selections ?? []))]
}

function responseKeys(selections: readonly SelectionNode[]): string[] {
  return selections.flatMap((node) => {
    if (node.kind === Kind.FRAGMENT_SPREAD) return []
    if (node.kind === Kind.INLINE_FRAGMENT) return responseKeys(node.selectionSet.selections)
    if (node.name.value === '_entities') return responseKeys(node.selectionSet?.selections ?? [])
    return node.name.value === '__typename' ? [] : [node.alias?.value ?? node.name.value]
  })
}
