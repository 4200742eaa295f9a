import { GatewayError } from '../../../core/error.ts'
import type { Exchange } from '../../../core/exchange.ts'
import { isRecord } from '../../../core/is-record.ts'
import type { Engine } from '../engine.ts'
import type { Execution, KnownOperation } from '../operation.ts'
import type { OperationRequest } from '../operation-request.ts'
import { notSupported, type PersistedQueries } from './persisted-queries.ts'
import { bareId } from './read-manifest.ts'
import type { TrustedDocuments } from './trusted-documents.ts'
import type { Viewer } from './viewer.ts'

/** What {@link OperationFinder} goes by. */
export interface FinderOptions {
  readonly viewerOf: (x: Exchange) => Viewer
  /** Undefined: clients must send texts. */
  readonly persisted: PersistedQueries | undefined
  readonly trusted: TrustedDocuments | undefined
}

/** Finds what a request asks to run: by its text, or by the id that stands for one. */
export class OperationFinder {
  readonly #options: FinderOptions

  constructor(options: FinderOptions) {
    this.#options = options
  }

  /**
   * The operation, valid and within the limits, with variables that fit it. Rejects with a GatewayError: OPERATION_NOT_TRUSTED, PERSISTED_QUERY_NOT_FOUND,
   * METHOD_NOT_ALLOWED, INVALID_ARGUMENT, or what {@link Engine.read} throws.
   */
  async find(
    x: Exchange,
    request: OperationRequest,
    engine: Engine,
  ): Promise<Pick<Execution, 'operation' | 'variables'>> {
    const { trusted, persisted } = this.#options
    const viewer = this.#options.viewerOf(x)
    const { query, variables = {} } = request
    const id = idOf(request)
    const known = trustedText(trusted, { id, query })
    if (known === undefined) trusted?.requireFor(x)
    const text = known ?? query ?? (await this.#keptText(id))
    const isNew = known === undefined && id !== undefined && query !== undefined && persisted !== undefined
    if (isNew) persisted.check(id, query)
    const operation = engine.read(text, viewer).operation(request.operationName)
    refuseByGet(x, operation)
    if (operation.type === 'subscription' && request.uploads !== undefined)
      throw new GatewayError('INVALID_ARGUMENT', 'Files are for queries and mutations.')
    engine.checkVariables(operation, variables, viewer)
    if (isNew) persisted.keep(id, query)
    if (known === undefined) trusted?.note(operation, x)
    return { operation, variables }
  }

  #keptText(id: string | undefined): Promise<string> {
    const { persisted } = this.#options
    if (id === undefined) throw new GatewayError('INVALID_ARGUMENT', '"query" is missing.')
    if (persisted === undefined) throw notSupported()
    return persisted.find(id)
  }
}

/** The registered text that is asked for, by its id or as it stands. Throws INVALID_ARGUMENT for the id of one with the text of another. */
function trustedText(
  trusted: TrustedDocuments | undefined,
  { id, query }: { readonly id: string | undefined; readonly query: string | undefined },
): string | undefined {
  if (trusted === undefined) return undefined
  const text = id === undefined ? undefined : trusted.find(id)
  if (text !== undefined && query !== undefined && text !== query)
    throw new GatewayError(
      'INVALID_ARGUMENT',
      '"query" is not the document that was registered under its id.',
    )
  return text ?? (query !== undefined && trusted.has(query) ? query : undefined)
}

/**
 * The id of a document: `documentId` (GraphQL over HTTP, proposal "Persisted Documents"), or `extensions.persistedQuery.sha256Hash` of Apollo's
 * clients.
 */
function idOf({ documentId, extensions }: OperationRequest): string | undefined {
  const persistedQuery = extensions?.persistedQuery
  if (persistedQuery === undefined || persistedQuery === null)
    return documentId === undefined ? undefined : bareId(documentId)
  if (!isRecord(persistedQuery) || typeof persistedQuery.sha256Hash !== 'string')
    throw new GatewayError('INVALID_ARGUMENT', '"persistedQuery" must be an object with a text "sha256Hash".')
  if (persistedQuery.version !== 1)
    throw new GatewayError('INVALID_ARGUMENT', '"persistedQuery" must have version 1.')
  return persistedQuery.sha256Hash
}

function refuseByGet(x: Exchange, { type }: KnownOperation): void {
  if (type === 'mutation' && x.request.method !== 'POST')
    throw new GatewayError('METHOD_NOT_ALLOWED', 'GET is not for mutations.', { headers: ['Allow', 'POST'] })
}
