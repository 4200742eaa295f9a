import { type DocumentNode, type ExecutionResult, execute, GraphQLError, parse } from 'graphql'
import { GatewayError } from '../../../../core/error.ts'
import { isRecord } from '../../../../core/is-record.ts'
import type { Logger } from '../../../../core/log.ts'
import { BoundedMap } from '../../bounded-map.ts'
import type { OperationContext } from '../../operation.ts'
import type { Subgraph, SubgraphData, SubgraphFetch } from '../subgraph.ts'
import { checkMessages } from './check-messages.ts'
import { checkService } from './check-service.ts'
import { type CompiledService, compileService, type ServiceOptions } from './compiled-service.ts'
import { type DefaultResolvers, fillFields } from './fill-fields.ts'
import { compileServiceErrors } from './service-errors.ts'
import { MistakeList, ServiceMistakes } from './service-mistakes.ts'
import { ServiceRun } from './service-run.ts'

/** Compiles a service that has no GraphQL server into a subgraph. Throws a ServiceMistakes. */
export function createServiceSubgraph(options: ServiceOptions, log: Logger): Subgraph {
  const mistakes = new MistakeList()
  const service = readable(options, mistakes)
  // The others would be consequences of these.
  mistakes.throwIfAny()
  checkService(service, options, mistakes)
  const absent = checkMessages(service, mistakes)
  mistakes.throwIfAny()
  return new ServiceSubgraph(options, { service, defaults: fillFields(service, absent), log })
}

function readable(options: ServiceOptions, mistakes: MistakeList): CompiledService {
  try {
    return compileService(options, mistakes)
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error
    const [place] = error.locations ?? []
    throw new ServiceMistakes([
      { path: undefined, line: place?.line ?? 1, column: place?.column ?? 1, message: error.message },
    ])
  }
}

interface Parts {
  readonly service: CompiledService
  readonly defaults: DefaultResolvers
  readonly log: Logger
}

/** A subgraph that the gateway executes itself, by calls to a REST or gRPC backend. */
class ServiceSubgraph implements Subgraph {
  readonly name: string
  readonly anonymous: boolean
  readonly #parts: Parts
  readonly #show: ReturnType<typeof compileServiceErrors>
  /** By the text of the operation. */
  readonly #documents = new BoundedMap<string, DocumentNode>(maxDocuments)

  constructor({ name, errors }: ServiceOptions, parts: Parts) {
    this.name = name
    this.anonymous = !errors.showSubgraph
    this.#parts = parts
    this.#show = compileServiceErrors(errors)
  }

  async fetch(fetch: SubgraphFetch, context: OperationContext): Promise<SubgraphData> {
    const { service, defaults } = this.#parts
    const result = await execute({
      schema: service.schema,
      document: this.#document(fetch.query),
      operationName: fetch.operationName,
      variableValues: variablesOf(fetch),
      contextValue: new ServiceRun(context),
      ...defaults,
    })
    return { data: result.data, errors: this.#told(result, context) }
  }

  #document(text: string): DocumentNode {
    let document = this.#documents.get(text)
    if (document === undefined) {
      document = parse(text, { noLocation: true })
      this.#documents.set(text, document)
    }
    return document
  }

  #told({ errors = [] }: ExecutionResult, { x, faults }: OperationContext): SubgraphData['errors'] {
    return errors.map((found) => {
      const { originalError } = found
      if (originalError instanceof GatewayError && !faults.includes(originalError)) faults.push(originalError)
      const { error, masked } = this.#show(found)
      if (masked) {
        // The rest of the message quotes what did not fit.
        const [message = ''] = found.message.split(':')
        const ids = { request_id: x.id, trace_id: x.trace.traceId }
        this.#parts.log.warn(
          { subgraph: this.name, message: message.slice(0, 200), path: found.path, ...ids },
          'An error of a service is not shown to clients as it is.',
        )
      }
      return error
    })
  }
}

function variablesOf({ variables }: SubgraphFetch): Readonly<Record<string, unknown>> {
  const read: unknown = variables === undefined ? {} : JSON.parse(variables)
  return isRecord(read) ? read : {}
}

/** Texts come from compiled plans, which are bounded themselves. */
const maxDocuments = 1_000
