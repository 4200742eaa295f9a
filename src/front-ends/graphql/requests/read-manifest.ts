import { isRecord } from '../../../core/is-record.ts'
import { messageOf } from '../../../core/message-of.ts'

/** An operation of a manifest. */
export interface TrustedDocument {
  /** Without `sha256:` before it. */
  readonly id: string
  readonly text: string
}

/**
 * Reads a manifest: Apollo's `{format: "apollo-persisted-query-manifest", version: 1, operations}`, or `{id: text}` as Relay and GraphQL Code Generator
 * write it. Throws an Error that names the entry.
 */
export function readManifest(json: string): TrustedDocument[] {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (error) {
    throw new Error(`is no JSON: ${messageOf(error)}`)
  }
  if (!isRecord(value)) throw new Error('is no JSON object')
  return 'format' in value && typeof value.format === 'string' && 'operations' in value
    ? apolloOperations(value)
    : Object.entries(value).map(([id, text]) => entry(id, text, `"${id}"`))
}

/** Ids as clients may write them: with the method before it (`sha256:`) or without. */
export function bareId(id: string): string {
  return id.startsWith('sha256:') ? id.slice('sha256:'.length) : id
}

function apolloOperations({
  format,
  version,
  operations,
}: Readonly<Record<string, unknown>>): TrustedDocument[] {
  if (format !== 'apollo-persisted-query-manifest')
    throw new Error(`has the format "${format}"; "apollo-persisted-query-manifest" is known`)
  if (version !== 1) throw new Error(`has version ${JSON.stringify(version)} of its format; 1 is known`)
  if (!Array.isArray(operations)) throw new Error('"operations" is no list')
  return operations.map((operation: unknown, index) => {
    const place = `operations[${index}]`
    if (!isRecord(operation)) throw new Error(`${place} is no object`)
    const { id, body } = operation
    if (typeof id !== 'string' || id === '') throw new Error(`${place} has no "id"`)
    return entry(id, body, `${place} ("${id}")`)
  })
}

function entry(id: string, text: unknown, place: string): TrustedDocument {
  if (typeof text !== 'string' || text.trim() === '') throw new Error(`${place} has no text of an operation`)
  if (id === '') throw new Error(`${place} has an empty id`)
  return { id: bareId(id), text }
}
