/** The scheme in any case, and what comes after it: `Bearers` is another scheme, `Bearer,x` is not. */
const bearerScheme = /^bearer(?![!#$%&'*+.^_`|~\w-])( *)(.*)$/is

/**
 * The token of `Authorization: Bearer` (RFC 6750 section 2.1; blanks by RFC 9110 section 11.4); other schemes are not ours. `''` for one that
 * is empty or not separated by blanks: that must be refused, because it is meant as a token.
 */
export function bearerToken(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined
  const found = bearerScheme.exec(authorization)
  if (found === null) return undefined
  return found[1] === '' ? '' : found[2]
}
