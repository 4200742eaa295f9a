import { isRecord } from '../core/is-record.ts'
import type { Row } from '../core/route.ts'
import { canonicalPath } from '../routing/canonical-path.ts'
import type { MatchQuery } from '../routing/table.ts'
import { Book, describedPath, isKnownMethod } from './book.ts'
import type { Json } from './json.ts'
import { limitNotes, policyNotes, securityOf } from './policy-words.ts'
import { refusals } from './refusals.ts'
import type { Draft } from './route-operations.ts'

/** All that a gateway's description is made from. */
export interface ApiOptions {
  /** The Info Object. */
  readonly info: Json
  /** By name; what callers may prove themselves with. */
  readonly securitySchemes: Readonly<Record<string, Json>>
  /** Operations of REST rows, made for each description anew. */
  readonly describers: readonly Describer[]
  /** The OpenAPI document of the gRPC services; undefined: there are none. */
  readonly grpc: (() => object) | undefined
  /** The row that takes a request. */
  match(query: MatchQuery): Row | undefined
}

/** Tells the operations of some rows; components that they refer to are noted in the book. */
export type Describer = (book: Book, isRouted: IsRouted) => readonly Draft[]

/** Whether a request for this path and method comes to the row. */
export type IsRouted = (row: Row, method: string, path: string) => boolean

/** One OpenAPI 3.1 document of all that is routed for clients of a host; the same input gives the same document. */
export function describeGateway(api: ApiOptions, host: string): Json {
  const { info, securitySchemes, describers, grpc } = api
  const book = new Book()
  const routed = routing(api, host)
  const isRouted: IsRouted = (row, method, path) => routed(row, method, path) === row
  const schemes = Object.keys(securitySchemes)
  if (grpc !== undefined) addGrpc(book, grpc() as Json, { routed, schemes })
  for (const describe of describers)
    for (const { row, method, path, operation, id } of describe(book, isRouted)) {
      if (!isKnownMethod(method) || !isRouted(row, method, path.text)) continue
      const operationId = book.id(id)
      const whole = completed({ ...operation, operationId }, { book, row, schemes, path: path.text })
      if (book.add({ method, path, operation: whole })) noteTags(book, operation)
    }
  const isSecured = JSON.stringify(book.paths).includes('"security":[{')
  return {
    openapi: '3.1.0',
    info,
    servers: [{ url: '/', description: 'This gateway.' }],
    tags: book.tags(),
    paths: Object.fromEntries(Object.entries(book.paths).sort(([a], [b]) => (a < b ? -1 : 1))),
    components: { ...book.components(), ...(isSecured && { securitySchemes }) },
  }
}

/** In place of the variables of a path; no route is called so. */
const anyValue = 'openapi-any-value'

/** Which row takes a request that a description tells of. `expected` says what else must be there. */
function routing({ match }: ApiOptions, host: string) {
  return (expected: Row | undefined, method: string, path: string): Row | undefined => {
    const sample = path.replace(/\{[^{}]*\}/g, anyValue)
    const conditions = (list: Row['headers'] = []) =>
      list.map(({ name, value }): [string, string] => [name, value === '*' ? anyValue : value])
    try {
      const { matchSegments: segments, encodedSlash } = canonicalPath(encodeURI(sample))
      return match({
        method: method.toUpperCase(),
        segments,
        encodedSlash,
        host,
        headers: Object.fromEntries(conditions(expected?.headers)),
        query: new URLSearchParams(conditions(expected?.query)).toString(),
      })
    } catch {
      // A path that is refused is not routed.
      return undefined
    }
  }
}

/** Rows that need nobody else. */
const answeredHere = new Set<string | undefined>(['redirect', 'respond', 'the gateway itself'])

interface Completion {
  readonly book: Book
  readonly row: Row
  readonly schemes: readonly string[]
  readonly path: string
}

/** An operation with what the gateway asks and answers. What a backend says of a status stays, but for 401, which is the gateway's. */
function completed(operation: Json, { book, row, schemes, path }: Completion): Json {
  const { policy } = row
  const own = refusals(book, {
    policy,
    hasBody: operation.requestBody !== undefined,
    hasVariables: path.includes('{'),
    calls: !answeredHere.has(row.leadsTo),
  })
  const responses = { ...own, ...(operation.responses as Json) }
  if (own['401'] !== undefined) responses['401'] = own['401']
  return {
    ...operation,
    description: [operation.description, ...policyNotes(policy)].filter((text) => text !== '').join('\n\n'),
    responses,
    security: securityOf(policy, schemes),
    'x-gateway-route': row.id,
  }
}

function noteTags(book: Book, { tags }: Json): void {
  if (Array.isArray(tags)) for (const tag of tags) book.tag(String(tag))
}

interface GrpcParts {
  readonly routed: (expected: Row | undefined, method: string, path: string) => Row | undefined
  readonly schemes: readonly string[]
}

/** The gRPC services describe themselves; what a route takes from them is left out. */
function addGrpc(book: Book, document: Json, { routed, schemes }: GrpcParts): void {
  for (const [text, item] of Object.entries(document.paths as Record<string, Json>))
    for (const [method, written] of Object.entries(item)) {
      if (!isKnownMethod(method) || !isRecord(written)) continue
      const row = routed(undefined, method, text)
      if (row?.protocol !== 'grpc') continue
      const operation = {
        ...written,
        operationId: book.id(String(written.operationId)),
        description: [written.description, ...limitNotes(row.policy)].join('\n\n'),
        security: securityOf(row.policy, schemes),
      }
      if (book.add({ method, path: describedPath(text), operation })) noteTags(book, operation)
    }
  for (const tag of document.tags as Json[])
    if (book.hasTag(String(tag.name))) book.tag(String(tag.name), tag)
  const { schemas, responses } = document.components as Record<string, Json>
  // Those of operations that were left out, too, would be components that nobody uses.
  book.takeUsed({ schemas: schemas ?? {}, responses: responses ?? {} })
}
