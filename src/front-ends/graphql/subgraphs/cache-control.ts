/** How long an answer may be kept, and by whom (RFC 9111 section 5.2.2); the strictest of several. */
export class CacheControl {
  #isStored = true
  #isFresh = true
  #isPublic = true
  #isPrivate = false
  #revalidates = false
  #maxAge = Number.POSITIVE_INFINITY
  #sharedMaxAge = Number.POSITIVE_INFINITY
  #hasShared = false

  /** One more answer that has a part in the whole. `age`: its Age, in seconds. One without the header counts as `no-cache`. */
  merge(header: string | undefined, age = 0): void {
    const directives = directivesOf(header ?? 'no-cache')
    const seconds = (name: string): number | undefined => {
      const value = directives.get(name)
      if (value === undefined) return undefined
      // Section 4.2.1: what cannot be read is stale.
      return /^\d{1,10}$/.test(value) ? Math.max(0, Number(value) - age) : 0
    }
    if (directives.has('no-store')) this.#isStored = false
    if (directives.has('private')) this.#isPrivate = true
    if (!directives.has('public')) this.#isPublic = false
    if (directives.has('must-revalidate') || directives.has('proxy-revalidate')) this.#revalidates = true
    const maxAge = seconds('max-age')
    const shared = seconds('s-maxage')
    if (directives.has('no-cache') || (maxAge === undefined && shared === undefined)) this.#isFresh = false
    if (shared !== undefined) this.#hasShared = true
    this.#maxAge = Math.min(this.#maxAge, maxAge ?? 0)
    this.#sharedMaxAge = Math.min(this.#sharedMaxAge, shared ?? maxAge ?? 0)
  }

  /** Not to be kept at all. */
  forbid(): void {
    this.#isStored = false
  }

  /** As a header. `personal`: others than this caller may be answered otherwise. */
  text(personal: boolean): string {
    if (!this.#isStored) return 'no-store'
    const isPrivate = personal || this.#isPrivate
    const words = isPrivate ? ['private'] : this.#isPublic ? ['public'] : []
    if (!this.#isFresh) return [...words, 'no-cache'].join(', ')
    words.push(`max-age=${this.#maxAge}`)
    if (this.#hasShared && !isPrivate) words.push(`s-maxage=${this.#sharedMaxAge}`)
    if (this.#revalidates) words.push('must-revalidate')
    return words.join(', ')
  }
}

function directivesOf(header: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const part of header.split(',')) {
    const [name = '', value = ''] = part.split(/=(.*)/s)
    found.set(name.trim().toLowerCase(), value.trim().replace(/^"(.*)"$/, '$1'))
  }
  return found
}
