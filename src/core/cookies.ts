/** The values of all cookies of a name (case matters) in a `Cookie` header (RFC 6265bis section 4.2.1), as they stand there. */
export function cookieValues(header: string, name: string): string[] {
  if (!header.includes(name)) return []
  const values: string[] = []
  for (const pair of header.split(';')) {
    if (cookieName(pair) === name) values.push(pair.slice(pair.indexOf('=') + 1).trim())
  }
  return values
}

/** A `Cookie` header without the cookies of some names; `''` when nothing is left of it. */
export function withoutCookies(header: string, names: readonly string[]): string {
  if (!names.some((name) => header.includes(name))) return header
  const kept = header.split(';').filter((pair) => !names.includes(cookieName(pair)))
  return kept.join(';').trim()
}

/** A pair without `=` is a value without a name (RFC 6265bis section 5.7). */
function cookieName(pair: string): string {
  const end = pair.indexOf('=')
  return end === -1 ? '' : pair.slice(0, end).trim()
}
