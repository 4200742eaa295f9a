import type { Exchange } from '../../core/exchange.ts'
import { userKey } from '../../core/user-key.ts'
import { readCookie } from './cookie.ts'
import { pairValue } from './pair-value.ts'

/** Reads what an exchange is hashed by; undefined when it has none of it: then the caller hashes on a random number. */
export type HashKey = (x: Exchange) => string | undefined

/**
 * What an upstream hashes on, tried in order, the first that is present and not empty: `header:X-User-ID`, `cookie:name`,
 * `query:name` (as written, not decoded), `ip` (the client's address, behind trusted proxies too), `user` (the issuer and id
 * of the principal) or `path`. Throws an Error that names a spec which is none of these.
 *
 * An exchange without any of them must go to a target at random: hashed as an empty text, all such would go to one.
 */
export function compileHashKey(specs: readonly string[]): HashKey {
  const readers = specs.map(reader)
  return (x) => {
    for (const read of readers) {
      const key = read(x)
      if (key !== undefined && key !== '') return key
    }
    return undefined
  }
}

function reader(spec: string): HashKey {
  if (spec === 'ip') return (x) => x.request.clientAddress
  if (spec === 'user') return (x) => (x.principal === undefined ? undefined : userKey(x.principal))
  if (spec === 'path') return (x) => x.request.path
  const [, kind, name = ''] = named.exec(spec) ?? []
  if (kind === 'header') {
    const header = name.toLowerCase()
    return (x) => x.header(header)
  }
  if (kind === 'cookie') return (x) => readCookie(x.header('cookie'), name)
  if (kind === 'query') return (x) => pairValue(x.request.query, name, '&')
  throw new Error(`"${spec}" is none of header:<name>, cookie:<name>, query:<name>, ip, user and path`)
}

/** Names are tokens of RFC 9110 section 5.6.2. */
const named = /^(header|cookie|query):([!#$%&'*+.^_`|~0-9A-Za-z-]+)$/
