/** A header's name as backends may read it: every sign but letters and digits as one and the same (CGI, RFC 3875 section 4.1.18, and those who are freer). */
export function foldHeaderName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '-')
}

/** Takes headers out of flat ones, in any spelling. `folded`: few names, each by {@link foldHeaderName}. */
export function takeOutHeaders(headers: string[], folded: readonly string[]): void {
  if (folded.length === 0) return
  let kept = 0
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string
    if (isOneOf(folded, name)) continue
    headers[kept++] = name
    headers[kept++] = headers[i + 1] as string
  }
  headers.length = kept
}

function isOneOf(folded: readonly string[], name: string): boolean {
  for (let i = 0; i < folded.length; i++) {
    const one = folded[i] as string
    // Folding keeps the length, and costs more than to compare it.
    if (one.length === name.length && foldHeaderName(name) === one) return true
  }
  return false
}
