import { pairValue } from './pair-value.ts'

/** What browsers must be able to keep of one cookie (RFC 6265 section 6.1); longer values are not looked at. */
const maxLength = 4_096

/** cookie-octet of RFC 6265 section 4.1.1: visible ASCII but `"`, `,`, `;` and `\`. */
const octets = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+$/

/**
 * The value of a cookie out of a `Cookie` header, without the quotes that it may stand in. Undefined when it is absent, empty,
 * longer than 4,096 characters or no `cookie-value` of RFC 6265; the first of several with this name decides.
 */
export function readCookie(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined
  const written = pairValue(header, name, ';')?.trimEnd()
  if (written === undefined || written.length > maxLength) return undefined
  const quoted = written.length > 1 && written.startsWith('"') && written.endsWith('"')
  const value = quoted ? written.slice(1, -1) : written
  return octets.test(value) ? value : undefined
}
