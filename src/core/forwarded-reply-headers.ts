import { headerProblem } from './header-changes.ts'
import { passesToClient } from './headers.ts'

/** Whether a pattern may cover a header of a subgraph's answer; lower case. Cookies, and what browsers obey, are named. */
export function isOpenReplyHeader(name: string): boolean {
  return passesToClient(name) && !described.test(name) && !named.test(name)
}

/** Why a header of a subgraph's answer must not go on to clients by that name or pattern; undefined when it may. */
export function forwardReplyProblem(written: string): string | undefined {
  const name = written.toLowerCase()
  if (!/^(?:[a-z0-9!#$%&'+.^_`|~-]+\*?|\*)$/.test(name))
    return `"${written}" is no header name, nor one with a * at its end`
  if (name.endsWith('*')) return undefined
  if (name === 'cache-control') return 'see cacheControl, by which the strictest of all answers counts'
  if (described.test(name))
    return `"${written}" describes the answer of the subgraph, and the client's is another one`
  if (!passesToClient(name)) return `"${written}" is written by the gateway, or belongs to one connection`
  return headerProblem('response', 'set', name)
}

/** What says something of the one message that it came with. */
const described =
  /^(?:content-.*|accept-.*|etag|last-modified|age|date|expires|cache-control|pragma|vary|server|alt-svc|retry-after|www-authenticate|allow|ratelimit.*)$/
const named =
  /^(?:set-cookie|location|refresh|link|content-security-policy|access-control-.*|strict-transport-security)$/
