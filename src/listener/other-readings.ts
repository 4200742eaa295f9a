/**
 * The segments of a canonical path as backends could read them that decode it (up to four times, without minding what is no escape), fold
 * full-width characters, take a backslash for a slash, drop `;parameters` or merge slashes: each reading in the spelling of the
 * routing table, without the one that was `matched`. Undefined when one of them has dot segments, control characters or overlong
 * UTF-8 (RFC 3629 section 3).
 */
export function otherReadings(path: string, matched: readonly string[]): string[][] | undefined {
  const known = new Set([matched.join('/')])
  const readings: string[][] = []
  let text = path
  for (let round = 0; round < maxRounds && text.includes('%'); round++) {
    const bytes = decode(text)
    if (unsafe.test(bytes)) return undefined
    text = Buffer.from(bytes, 'latin1').toString('utf8').normalize('NFKC').replaceAll('\\', '/')
    const segments = spell(text)
    if (segments.includes('.') || segments.includes('..')) return undefined
    const key = segments.join('/')
    if (!known.has(key)) readings.push(segments)
    known.add(key)
  }
  return readings
}

/** The bytes behind the escapes, each as a character. */
function decode(text: string): string {
  const utf8 = Buffer.from(text, 'utf8').toString('latin1')
  return utf8.replace(escapes, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

function spell(text: string): string[] {
  return text
    .split('/')
    .map((segment) => (segment.split(';')[0] as string).replace(mustEscape, encodeURIComponent))
    .filter((segment) => segment !== '')
}

const maxRounds = 4
const escapes = /%([0-9A-Fa-f]{2})/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const unsafe = /[\x00-\x1f\x7f\xc0\xc1]|\xe0[\x80-\x9f]|\xf0[\x80-\x8f]/
/** Whatever does not stand for itself in a canonical path. */
const mustEscape = /[^A-Za-z0-9._~!$&'()*+,=:@-]/gu
