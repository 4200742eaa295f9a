import { hash } from 'node:crypto'
import type { Principal } from '../../core/principal.ts'
import { bindingOf } from './token-binding.ts'

/** What can be revoked. */
export type Revocable =
  /** One token of an issuer, by its id. */
  | { readonly jti: string; readonly issuer: string }
  /** A token itself: only its digest is kept. */
  | { readonly token: string }
  /** The same, by the digest that {@link tokenDigest} made. */
  | { readonly digest: string }
  /** All tokens of one session of an issuer: those with this claim `sid` (OpenID Connect Front-Channel Logout 1.0 section 3). */
  | { readonly sid: string; readonly issuer: string }
  /** An API key by its id. */
  | { readonly key: string }
  /** A client certificate by its SHA-256, lower-case hexadecimal digits, and the tokens that are bound to it. */
  | { readonly certificate: string }
  /** All that an issuer gave to one of its users. */
  | { readonly sub: string; readonly issuer: string }
  /** A configured consumer: its keys, its certificates, and the tokens that are its own. */
  | { readonly consumer: string }

/**
 * What a revocation is kept under: kind, issuer and value, separated by line breaks. The value is the last, and no issuer has a line break,
 * so that no two of them are spelled alike.
 */
export function nameOf(what: Revocable): string {
  if ('jti' in what) return `jti\n${what.issuer}\n${what.jti}`
  if ('token' in what) return `digest\n\n${tokenDigest(what.token)}`
  if ('digest' in what) return `digest\n\n${what.digest}`
  if ('sid' in what) return `sid\n${what.issuer}\n${what.sid}`
  if ('key' in what) return `key\n\n${what.key}`
  if ('certificate' in what) return `certificate\n\n${what.certificate}`
  if ('sub' in what) return `sub\n${what.issuer}\n${what.sub}`
  return `consumer\n\n${what.consumer}`
}

/** The other way round, for people; a token is shown by its digest. */
export function revocableNamed(name: string): Revocable {
  const [kind = '', issuer = ''] = name.split('\n', 2)
  const value = name.slice(kind.length + issuer.length + 2)
  const entry = issuer === '' ? { [kind]: value } : { [kind]: value, issuer }
  return entry as unknown as Revocable
}

/** Whether it names somebody rather than one thing that somebody has. */
export function isPerson(name: string): boolean {
  return name.startsWith('sub\n') || name.startsWith('consumer\n')
}

const made = new WeakMap<Principal, readonly string[]>()

/** The names under which the credential of a caller may have been revoked; made once per principal. */
export function namesOf(principal: Principal): readonly string[] {
  const known = made.get(principal)
  if (known !== undefined) return known
  const { id, issuer = '', via, credentialId, tokenDigest: digest, claims, consumer } = principal
  const names: string[] = []
  if (via === 'apiKey' || via === 'certificate') {
    if (credentialId !== undefined)
      names.push(nameOf(via === 'apiKey' ? { key: credentialId } : { certificate: credentialId }))
  } else {
    if (credentialId !== undefined) names.push(nameOf({ jti: credentialId, issuer }))
    if (digest !== undefined) names.push(nameOf({ digest }))
    if (typeof claims?.sid === 'string') names.push(nameOf({ sid: claims.sid, issuer }))
    names.push(nameOf({ sub: id, issuer }))
    // Who may not show the certificate any more has no use for what is bound to it.
    const certificate = claims && bindingOf(claims)
    if (certificate) names.push(nameOf({ certificate }))
  }
  if (consumer !== undefined) names.push(nameOf({ consumer }))
  made.set(principal, names)
  return names
}

/**
 * SHA-256, base64url, of what makes a token this one: of a JWS without its signature, because a signature of ECDSA can be changed
 * without becoming invalid (the other of s and n - s), and the token would be another.
 */
export function tokenDigest(token: string): string {
  const parts = token.split('.', 4)
  const signed = parts.length === 3 ? `${parts[0]}.${parts[1]}` : token
  return hash('sha256', signed, 'base64url')
}
