import { hash } from 'node:crypto'
import { claim } from '../core/claim.ts'
import type { Exchange } from '../core/exchange.ts'
import { networkOf } from '../core/network-of.ts'
import type { Principal } from '../core/principal.ts'
import { userKey } from '../core/user-key.ts'

/** Reads the key that an exchange is counted under; `operation` is the name of the one it runs, where that is known. */
export type Partition = (x: Exchange, operation: string) => string

/** What `by` may be. Names of headers are tokens of RFC 9110 section 5.6.2. */
export const partitionPattern =
  /^(consumer|user|key|ip|route|operation|header:[!#$%&'*+.^_`|~0-9A-Za-z-]+|claim:.+)$/

/**
 * `by` of a limit, compiled: `consumer`, `user`, `key` (the API key; without one the consumer), `ip`, `route`, `operation`, `header:X-Tenant` or `claim:org`, or several that are told apart
 * together. Kinds of keys are told apart by their first letter, so that nobody can name himself into the bucket of another. Who has no identity,
 * header or claim of the name is counted by address. Of `credentialHeaders` (lower case) and cookies only digests are kept.
 */
export function compilePartition(
  by: string | readonly string[],
  credentialHeaders: ReadonlySet<string> = new Set(),
): Partition {
  if (typeof by === 'string') return compileOne(by, credentialHeaders)
  const parts = by.map((one) => compileOne(one, credentialHeaders))
  // No part holds the character between them: see valueKey.
  return (x, operation) => parts.map((part) => part(x, operation)).join('\0')
}

function compileOne(by: string, credentialHeaders: ReadonlySet<string>): Partition {
  if (by === 'route') return (x) => `r:${x.route.id}`
  if (by === 'ip') return byAddress
  if (by === 'user') return (x) => (x.principal === undefined ? byAddress(x) : byUser(x.principal))
  if (by === 'consumer') return byConsumer
  if (by === 'operation')
    return (x, operation) => valueKey('o', x.route.protocol === 'graphql' ? operation : x.route.id) ?? 'o:'
  if (by === 'key') return byKey
  const name = by.slice(by.indexOf(':') + 1)
  if (by.startsWith('claim:'))
    return (x) => valueKey('t', claim(x.principal?.claims ?? {}, name)) ?? byAddress(x)
  const header = name.toLowerCase()
  const isSecret = header === 'cookie' || credentialHeaders.has(header)
  return (x) => valueKey('h', x.header(header), isSecret) ?? byAddress(x)
}

function byAddress(x: Exchange): string {
  return `i:${networkOf(x.request.clientAddress)}`
}

function byConsumer(x: Exchange): string {
  const { principal } = x
  if (principal === undefined) return byAddress(x)
  return principal.consumer === undefined ? byUser(principal) : `c:${principal.consumer}`
}

function byKey(x: Exchange): string {
  const { via, credentialId } = x.principal ?? {}
  return via === 'apiKey' && credentialId !== undefined ? `k:${credentialId}` : byConsumer(x)
}

/**
 * Long values and strange ones are counted by their digest: what a stranger sends must not take more room than a key is worth. Secrets are, too,
 * because the store may be Redis.
 */
function valueKey(kind: 'h' | 't' | 'o', value: unknown, isSecret = false): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return `${kind}:${value}`
  if (typeof value !== 'string' || value === '') return undefined
  return !isSecret && value.length <= 64 && !value.includes('\0')
    ? `${kind}:${value}`
    : `${kind}#${hash('sha256', value, 'base64url')}`
}

/** A consumer is one user, with a key and with a certificate. */
function byUser(principal: Principal): string {
  const { via, id } = principal
  return via === 'apiKey' || via === 'certificate' ? `c:${id}` : `u:${userKey(principal)}`
}
