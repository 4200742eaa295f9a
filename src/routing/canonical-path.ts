import { GatewayError } from '../core/error.ts'

/** A path in the one spelling that is routed, authorised, logged and forwarded. */
export interface CanonicalPath {
  readonly path: string
  /** Raw (percent-encoded) segments; a trailing slash is not a segment. */
  readonly segments: readonly string[]
  /** The segments as they are matched: without `;parameters`. */
  readonly matchSegments: readonly string[]
  /** Whether a segment hides a slash or backslash (`%2F`, `%5C`): only rows that ask for it take such a path. */
  readonly encodedSlash: boolean
}

/**
 * Brings a request path into its canonical spelling, or refuses it with PATH_REFUSED when it could mean two things: dot segments in
 * any disguise (encoded up to three times, with `\`, with `;parameters`, full-width), empty segments, control characters, bytes that
 * are not UTF-8. Unreserved characters are decoded and escapes put in upper case (RFC 3986 section 6.2.2). A trailing slash stays in
 * the path but is no segment, so that `/admin/` meets the same row as `/admin`.
 */
export function canonicalPath(raw: string): CanonicalPath {
  if (plain.test(raw)) {
    const segments = split(raw)
    return { path: raw, segments, matchSegments: segments, encodedSlash: false }
  }
  if (!raw.startsWith('/')) throw refuse('must begin with "/"')
  if (foreign.test(raw)) throw refuse('holds a character that must be percent-encoded')
  if (brokenEscape.test(raw)) throw refuse('holds a broken percent escape')
  const path = canonicalEscapes(raw).replace(mustEscape, encodeURIComponent)
  const segments = split(path)
  let encodedSlash = false
  const matchSegments: string[] = []
  for (const segment of segments) {
    if (inspectSegment(segment)) encodedSlash = true
    const parameters = segment.indexOf(';')
    matchSegments.push(parameters === -1 ? segment : segment.slice(0, parameters))
  }
  if (matchSegments.includes('')) throw refuse('holds an empty segment')
  return { path, segments, matchSegments, encodedSlash }
}

/** Refuses a segment that some backend could read as another path; tells whether it hides a slash. */
function inspectSegment(segment: string): boolean {
  let text = segment
  let hidesSlash = false
  for (let round = 0; round < 3; round++) {
    if (round > 0) {
      const decoded = decode(text, round)
      if (decoded === text) break
      text = decoded
    }
    if (control.test(text)) throw refuse('holds an encoded control character')
    const folded = text.normalize('NFKC')
    if (round === 1 && /[/\\]/.test(folded)) hidesSlash = true
    for (const part of folded.split(/[/\\]/)) {
      const name = part.split(';')[0]
      if (name === '.' || name === '..') throw refuse('holds a dot segment')
    }
  }
  return hidesSlash
}

function decode(text: string, round: number): string {
  try {
    return decodeURIComponent(text)
  } catch {
    if (round === 1) throw refuse('holds an escape that is not UTF-8')
    return text
  }
}

/** Unreserved characters decoded, other escapes in upper case (RFC 3986 section 6.2.2). */
export function canonicalEscapes(text: string): string {
  return text.replace(escaped, decodeUnreserved)
}

function decodeUnreserved(sequence: string): string {
  const character = String.fromCharCode(Number.parseInt(sequence.slice(1), 16))
  return unreserved.test(character) ? character : sequence.toUpperCase()
}

function split(path: string): string[] {
  if (path === '/') return []
  const end = path.endsWith('/') ? path.length - 1 : path.length
  return path.slice(1, end).split('/')
}

function refuse(what: string): GatewayError {
  return new GatewayError('PATH_REFUSED', `The path ${what}.`)
}

/** Paths that are canonical as they stand: non-empty segments of plain characters, none of them a dot segment. */
const plain = /^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._~!$&'()*+,=:@-]+)*\/?$/
const escaped = /%[0-9A-Fa-f]{2}/g
const brokenEscape = /%(?![0-9A-Fa-f]{2})/
const unreserved = /[A-Za-z0-9._~-]/
const mustEscape = /["<>^`{|}[\]]/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const foreign = /[\u0000-\u0020\u007f-\uffff\\#]/
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const control = /[\u0000-\u001f\u007f]/
