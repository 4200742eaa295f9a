import { isUtf8 } from 'node:buffer'
import { isRecord } from '../../../core/is-record.ts'
import { essence } from '../../../core/media-type.ts'

/** A GraphQL answer as a subgraph gave it, its outer shape checked (GraphQL specification section 7.1). */
export interface SubgraphAnswer {
  readonly data: Record<string, unknown> | null | undefined
  /** One at least; undefined: there are none. */
  readonly errors: readonly Readonly<Record<string, unknown>>[] | undefined
  readonly extensions: Readonly<Record<string, unknown>> | undefined
}

/** The `Accept` of requests whose answers {@link readSubgraphAnswer} reads. */
export const acceptedAnswers = 'application/graphql-response+json, application/json;q=0.9'

/**
 * Reads the answer of a subgraph; throws an Error that says what is wrong with it. An `application/json` answer counts with a 2xx
 * status only; `application/graphql-response+json` also with 4xx, where it says of itself that it is one (GraphQL over HTTP).
 */
export function readSubgraphAnswer(status: number, contentType: string, body: Buffer): SubgraphAnswer {
  const type = essence(contentType)
  if (type !== 'application/json' && type !== 'application/graphql-response+json') {
    throw new Error(`status ${status} with content type "${contentType.slice(0, 100)}"`)
  }
  const success = status >= 200 && status < 300
  if (!success && (type === 'application/json' || status < 400 || status >= 500))
    throw new Error(`status ${status}`)
  if (!isUtf8(body)) throw new Error('no UTF-8')
  const value: unknown = JSON.parse(body.toString())
  if (!isRecord(value)) throw new Error('not an object')
  const { data, errors, extensions } = value
  if (data !== undefined && data !== null && !isRecord(data)) throw new Error('"data" is no object')
  if (errors !== undefined && errors !== null && !(Array.isArray(errors) && errors.every(isRecord))) {
    throw new Error('"errors" is no list of objects')
  }
  const failed = Array.isArray(errors) && errors.length > 0
  if (!failed && !isRecord(data)) throw new Error('neither data nor errors')
  return {
    data,
    errors: failed ? errors : undefined,
    extensions: isRecord(extensions) ? extensions : undefined,
  }
}
