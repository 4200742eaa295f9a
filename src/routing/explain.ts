import type { Row } from '../core/route.ts'
import { canonicalPath } from './canonical-path.ts'
import type { Refusal, RoutingTable } from './table.ts'

/** A request that is asked about, not made. */
export interface AskedRequest {
  /** In any case. */
  readonly method: string
  /** `/v1/users/42?page=2`, or with scheme and host in front. */
  readonly url: string
  /** Names in lower case; `host` counts unless the URL has one. */
  readonly headers: Readonly<Record<string, string>>
}

/** What the routing table does with a request. */
export interface Explanation {
  /** Undefined: nothing takes it. */
  readonly taken: Row | undefined
  /** Every row whose path and host match, in the order in which they are tried; undefined of the refusal: it would take it. */
  readonly candidates: readonly { readonly row: Row; readonly refusal: Refusal | undefined }[]
  /** Methods under which the path would match. */
  readonly allowed: readonly string[]
}

/** Which row takes a request, and why the others do not. Throws PATH_REFUSED. */
export function explainRequest(table: RoutingTable<unknown>, { method, url, headers }: AskedRequest): Explanation {
  const [, host, target = ''] = /^(?:https?:\/\/([^/?#]*))?(.*)$/is.exec(url) ?? []
  const [path = '', query = ''] = target.split(/\?(.*)/s)
  const canonical = canonicalPath(path === '' ? '/' : path)
  const ask = {
    method: method.toUpperCase(),
    segments: canonical.matchSegments,
    encodedSlash: canonical.encodedSlash,
    host: host ?? headers.host ?? '',
    headers,
    query,
  }
  const candidates = table.explain(ask)
  return {
    taken: candidates.find(({ refusal }) => refusal === undefined)?.row,
    candidates,
    allowed: table.allowedMethods(ask),
  }
}

/** Why a row did not take a request, for people. */
export const refusalWords: Readonly<Record<Refusal, string>> = {
  method: 'the method differs',
  header: 'a header that it wants is not there',
  query: 'a query parameter that it wants is not there',
  encodedSlash: 'the path hides a slash (%2F) and the route does not set encodedSlash',
}
