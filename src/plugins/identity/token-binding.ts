import type { Exchange } from '../../core/exchange.ts'
import { isRecord } from '../../core/is-record.ts'
import { jwtInvalid } from './refusals.ts'

/**
 * What a token is bound to by its claim `cnf` (RFC 7800 section 3.1): the SHA-256 of a client certificate in lower-case hexadecimal digits
 * (RFC 8705 section 3.1); `''` for what nobody here can check; undefined when it is bound to nothing.
 */
export function bindingOf(claims: Readonly<Record<string, unknown>>): string | undefined {
  const { cnf } = claims
  if (cnf === undefined) return undefined
  const thumbprint = isRecord(cnf) && Object.keys(cnf).length === 1 ? cnf['x5t#S256'] : undefined
  return typeof thumbprint === 'string' ? Buffer.from(thumbprint, 'base64url').toString('hex') : ''
}

/** Throws JWT_INVALID when a request with a token that is bound comes from somebody else, or nobody can say. */
export function requireBinding(binding: string, { request }: Exchange): void {
  if (request.clientCertificate?.fingerprint === binding) return
  throw jwtInvalid(
    binding === '' ? 'bound to a key that is not checked here' : 'bound to another certificate',
  )
}
