import type { IncomingHttpHeaders } from 'node:http'
import { beginsAs, readNamePatterns } from '../../../core/forwarded-headers.ts'
import { isOpenReplyHeader } from '../../../core/forwarded-reply-headers.ts'
import type { OperationContext } from '../operation.ts'
import { type Merge, ReplyParts } from './reply-parts.ts'

/** What clients see of the answers of a subgraph, besides data and errors. */
export interface ReplyRules {
  /** By names of headers, or `x-*`. */
  readonly forward: Readonly<Record<string, Merge>>
  /** Members of the answer's `extensions`. */
  readonly extensions: readonly string[]
  /** Whether Cache-Control is merged. */
  readonly cacheControl: boolean
}

/** Takes from an answer what clients see of it. */
export type TakeReply = (
  context: OperationContext,
  answer: {
    readonly headers: IncomingHttpHeaders
    readonly extensions: Readonly<Record<string, unknown>> | undefined
  },
) => void

/** Compiles rules for one subgraph; undefined: there is nothing to take. */
export function compileReplyRules(name: string, rules: ReplyRules): TakeReply | undefined {
  const { extensions: members, cacheControl } = rules
  const written = Object.entries(rules.forward).map(([key, merge]) => [key.toLowerCase(), merge] as const)
  const merges = new Map(written)
  const { names, prefixes } = readNamePatterns([...merges.keys()])
  if (written.length === 0 && members.length === 0 && !cacheControl) return undefined
  return (context, { headers, extensions }) => {
    const { x, limits } = context
    // A route that runs a stored operation has an answer of its own.
    if (limits !== undefined) return
    const parts = ReplyParts.of(x)
    if (cacheControl) parts.cached(headers['cache-control'], headers.age)
    for (const header of names) parts.add(header, headers[header], merges.get(header) ?? 'last')
    for (const header in headers) {
      if (prefixes.length === 0) break
      if (!beginsAs(prefixes, header) || merges.has(header) || !isOpenReplyHeader(header)) continue
      const prefix = prefixes.find((one) => header.startsWith(one))
      parts.add(header, headers[header], merges.get(`${prefix}*`) ?? 'last')
    }
    if (extensions === undefined || members.length === 0) return
    const shown = members.filter((member) => Object.hasOwn(extensions, member))
    if (shown.length === 0) return
    context.subgraphExtensions ??= {}
    const own = context.subgraphExtensions[name]
    context.subgraphExtensions[name] = {
      ...own,
      ...Object.fromEntries(shown.map((one) => [one, extensions[one]])),
    }
  }
}
