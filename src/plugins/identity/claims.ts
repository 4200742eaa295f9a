import type { JWTPayload } from 'jose'
import type { Principal } from '../../core/exchange.ts'
import { survivesAsHeader } from './identity-headers.ts'

/** In which claims a token says what its subject may do; `realm_access.roles` reaches into objects. */
export interface ClaimNames {
  /** Default `roles`: a list, or a text separated by spaces or commas. */
  readonly roles?: string | undefined
  /** Default `scope` (RFC 8693 section 4.2): a text separated by spaces, or a list. */
  readonly scopes?: string | undefined
  /** Default `name`. */
  readonly name?: string | undefined
}

/** The caller of a verified token; undefined when its `sub` is missing or cannot stand in a header as it is. */
export function principalFrom(payload: JWTPayload, names: ClaimNames): Principal | undefined {
  const { sub } = payload
  if (typeof sub !== 'string' || !survivesAsHeader(sub)) return undefined
  const name = claim(payload, names.name ?? 'name')
  return {
    id: sub,
    ...(typeof name === 'string' && name !== '' ? { name } : {}),
    roles: words(claim(payload, names.roles ?? 'roles'), /[ ,]+/),
    scopes: words(claim(payload, names.scopes ?? 'scope'), / +/),
    via: 'jwt',
  }
}

/** Names may have dots of their own (`https://example.com/roles`), so the whole name is tried first. */
function claim(payload: JWTPayload, name: string): unknown {
  if (Object.hasOwn(payload, name)) return payload[name]
  let value: unknown = payload
  for (const part of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined
    value = (value as Record<string, unknown>)[part]
  }
  return value
}

/** What cannot stand in a header as it is names no role: cut to fit, it could become another one. */
function words(value: unknown, separator: RegExp): readonly string[] {
  const list: readonly unknown[] =
    typeof value === 'string' ? value.split(separator) : Array.isArray(value) ? value : []
  return list.filter((word) => typeof word === 'string').filter(survivesAsHeader)
}
