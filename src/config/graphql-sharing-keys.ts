import { z } from 'zod'
import { classifyRequestHeader } from '../core/headers.ts'
import { object } from './declare.ts'

/** `graphql.sharing` */
export const sharingKey = object({
  fetches: z
    .boolean()
    .default(true)
    .describe(
      'Whether queries to a subgraph that are under way at a time and the same to the last byte (upstream, path, body, every header but those that name the request) are sent once. Mutations never are shared.',
    ),
  operations: z
    .boolean()
    .default(false)
    .describe(
      'Whether queries of clients that are under way at a time are run once where the operation, its variables, the caller, the address, the query string and all headers are the same. Each is charged and authorized for itself.',
    ),
  ignoreHeaders: z
    .array(z.string().toLowerCase())
    .default([])
    .describe(
      'Headers that no subgraph decides its answers by, besides traceparent, tracestate, X-Request-Id and X-Trace-ID: X-Forwarded-For and Forwarded, where clients of different addresses get the same.',
    ),
}).describe('Work that requests of different clients have in common (docs/graphql-headers.md).')

interface Sharing {
  readonly sharing: { readonly operations: boolean; readonly ignoreHeaders: readonly string[] }
  readonly headers: Replying
  readonly subgraphs: Readonly<Record<string, { readonly headers: Replying }>>
}

interface Replying {
  readonly response: { readonly forward: Readonly<Record<string, string>> }
}

/** By these subgraphs know who asks, besides credentials. */
const callerHeader = /^(cookie|x-user-.*|x-consumer|x-gateway-token)$/

/** What would give to one caller what is another's: answers by who asked, and cookies, which are for one to keep. */
export function sharingProblems({
  sharing,
  headers,
  subgraphs,
}: Sharing): [path: (string | number)[], message: string][] {
  const problems: [path: (string | number)[], message: string][] = []
  sharing.ignoreHeaders.forEach((name, index) => {
    if (classifyRequestHeader(name) !== 'credential' && !callerHeader.test(name)) return
    problems.push([
      ['sharing', 'ignoreHeaders', index],
      `"${name}" says who asks: one caller would get the answer of another`,
    ])
  })
  if (!sharing.operations) return problems
  const rules = [headers, ...Object.values(subgraphs).map((subgraph) => subgraph.headers)]
  const names = rules.flatMap(({ response }) => Object.keys(response.forward))
  if (names.some((name) => name.toLowerCase() === 'set-cookie'))
    problems.push([
      ['sharing', 'operations'],
      'would give the cookies of one client to others: Set-Cookie is forwarded',
    ])
  return problems
}
