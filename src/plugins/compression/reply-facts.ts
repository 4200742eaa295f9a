/** What the head of an answer says that bears on its coding. */
export class HeadFacts {
  /** Without parameters, lower case; `''` when there is none. */
  type = ''
  /** Bytes of the body; undefined when that is not known yet. */
  length: number | undefined
  /** Whether the body may not be changed: it is coded already, a part, signed, or asked to be left alone. */
  mustStay = false
  variesByCoding = false

  /** @param headers flat. */
  constructor(headers: readonly string[]) {
    for (let i = 0; i < headers.length; i += 2) {
      const value = headers[i + 1] as string
      switch ((headers[i] as string).toLowerCase()) {
        case 'content-type':
          this.type = (value.split(';', 1)[0] ?? '').trim().toLowerCase()
          break
        case 'content-length':
          this.length = Number(value)
          break
        case 'vary':
          if (/(?:^|,)\s*(?:\*|accept-encoding)\s*(?:,|$)/i.test(value)) this.variesByCoding = true
          break
        case 'cache-control':
          // RFC 9111 section 5.2.2.6.
          if (/\bno-transform\b/i.test(value)) this.mustStay = true
          break
        case 'content-encoding':
        case 'content-range':
        // Digests and signatures are of the bytes as they are (RFC 9530, RFC 9421).
        case 'content-digest':
        case 'content-md5':
        case 'digest':
        case 'repr-digest':
        case 'signature':
        case 'trailer':
          this.mustStay = true
      }
    }
  }
}

/** Another coding is another sequence of bytes: the tag says from now on that the two mean the same (RFC 9110 section 8.8.1). */
export function weakenEtag(headers: string[]): void {
  for (let i = 0; i < headers.length; i += 2) {
    if ((headers[i] as string).toLowerCase() !== 'etag') continue
    const tag = headers[i + 1] as string
    if (!tag.startsWith('W/')) headers[i + 1] = `W/${tag}`
  }
}

export function removeHeaders(headers: string[], names: ReadonlySet<string>): void {
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    if (names.has((headers[i] as string).toLowerCase())) headers.splice(i, 2)
  }
}
