import type { JWTPayload } from 'jose'
import { claim } from '../../core/claim.ts'
import type { Principal } from '../../core/exchange.ts'
import { survivesAsHeader } from './identity-headers.ts'

/** In which claims a token says what its subject may do; `realm_access.roles` reaches into objects. */
export interface ClaimNames {
  /** Default `sub`. */
  readonly user?: string | undefined
  /** Default `roles`: a list, or a text separated by spaces or commas. */
  readonly roles?: string | undefined
  /** Default `scope` (RFC 8693 section 4.2): a text separated by spaces, or a list. */
  readonly scopes?: string | undefined
  /** Default `name`. */
  readonly name?: string | undefined
}

/** The caller of a verified token; undefined when the claim with its id is missing or cannot stand in a header as it is. */
export function principalFrom(payload: JWTPayload, names: ClaimNames): Principal | undefined {
  const id = claim(payload, names.user ?? 'sub')
  if (typeof id !== 'string' || !survivesAsHeader(id)) return undefined
  const name = claim(payload, names.name ?? 'name')
  return {
    id,
    ...(payload.iss === undefined ? {} : { issuer: payload.iss }),
    ...(typeof name === 'string' && name !== '' ? { name } : {}),
    roles: words(claim(payload, names.roles ?? 'roles'), /[ ,]+/),
    scopes: words(claim(payload, names.scopes ?? 'scope'), / +/),
    claims: payload,
    via: 'jwt',
    ...(typeof payload.jti === 'string' ? { credentialId: payload.jti } : {}),
    ...(payload.iat === undefined ? {} : { issuedAt: payload.iat * 1_000 }),
    ...(payload.exp === undefined ? {} : { expiresAt: payload.exp * 1_000 }),
  }
}

/** What cannot stand in a header as it is names no role: cut to fit, it could become another one. */
function words(value: unknown, separator: RegExp): readonly string[] {
  const list: readonly unknown[] =
    typeof value === 'string' ? value.split(separator) : Array.isArray(value) ? value : []
  return list.filter((word) => typeof word === 'string').filter(survivesAsHeader)
}
