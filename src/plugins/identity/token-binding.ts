import type { ClientCertificate, Principal } from '../../core/exchange.ts'
import { jwtInvalid } from './refusals.ts'

/**
 * Refuses a token that says whose it is by a key (`cnf`, RFC 7800) unless the client has proved to have that key: by the certificate of its
 * connection (`x5t#S256`, RFC 8705 section 3.1). What is bound in another way we cannot check, and must not take for a bearer token. Throws
 * JWT_INVALID.
 */
export function checkBinding({ claims }: Principal, certificate: ClientCertificate | undefined): void {
  const bound = claims?.cnf
  if (bound === undefined) return
  const thumbprint =
    typeof bound === 'object' && bound !== null ? (bound as Record<string, unknown>)['x5t#S256'] : undefined
  if (typeof thumbprint !== 'string') throw jwtInvalid('bound to a key in a way that cannot be checked')
  if (certificate === undefined) throw jwtInvalid('bound to a client certificate, and there is none')
  if (Buffer.from(certificate.fingerprint, 'hex').toString('base64url') !== thumbprint)
    throw jwtInvalid('bound to another client certificate')
}
