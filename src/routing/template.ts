import { canonicalEscapes } from './canonical-path.ts'

/**
 * Path templates in the grammar of `google/api/http.proto`:
 *
 *     Template  = "/" [ Segments ] [ Verb ] ;
 *     Segments  = Segment { "/" Segment } ;
 *     Segment   = "*" | "**" | LITERAL | Variable ;
 *     Variable  = "{" FieldPath [ "=" Segments ] "}" ;
 *     FieldPath = IDENT { "." IDENT } ;
 *     Verb      = ":" LITERAL ;
 *
 * `*` is one non-empty segment, `**` is any number of segments (none included) and stands once. `{var}` is `{var=*}`.
 * Beyond the standard, `/` alone is a template (the root of a REST route), and more segments may follow `**`, as Google's own
 * Firestore has them: their number is fixed, so that it is plain where `**` ends.
 */
export interface Template {
  /** As it was written. */
  readonly text: string
  readonly segments: readonly Segment[]
  readonly variables: readonly Variable[]
  /** The word after the colon; `''` when there is none. */
  readonly verb: string
}

export type Segment =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'star' }
  | { readonly kind: 'doubleStar' }

/** A variable and the run of segments that it stands for. */
export interface Variable {
  /** `['book', 'name']` for `{book.name}`. */
  readonly path: readonly string[]
  readonly start: number
  /** Index after its last segment; `**` counts as one, however many it stands for in a path. */
  readonly end: number
  /** Whether it stands for more than one segment: then `%2F` in its value is left as it stands (`http.proto`). */
  readonly multi: boolean
}

/** Parses a template; throws an Error that names the column and what was expected. */
export function parseTemplate(text: string): Template {
  const parser = new Parser(text)
  return parser.template()
}

/**
 * The values of a template's variables, in their order, from the raw segments of a path that matches it. A single-segment variable
 * is decoded whole, `%2F` included; a multi-segment one keeps `%2F` and `%2f` as they stand, because decoding them would
 * cross resource borders (`http.proto`, rule on `{var=**}`).
 */
export function bindVariables(template: Template, segments: readonly string[]): string[] {
  const { variables } = template
  return rawVariables(template, segments).map((raw, index) =>
    variables[index]?.multi === true
      ? raw.split('/').map(decodeKeepingSlash).join('/')
      : decodeURIComponent(raw),
  )
}

/** The same values as they stand in the path, still percent-encoded. */
export function rawVariables(template: Template, segments: readonly string[]): string[] {
  if (template.variables.length === 0) return []
  const last = segments.length - 1
  const raw = segments.slice()
  // Parameters (`;a=b`) stand behind the verb, and the path was matched without them.
  if (template.verb !== '')
    raw[last] = (raw[last] ?? '').split(';', 1)[0]?.slice(0, -template.verb.length - 1) ?? ''
  const open = template.segments.findIndex(({ kind }) => kind === 'doubleStar')
  const more = open === -1 ? 0 : segments.length - template.segments.length
  return template.variables.map(({ start, end }) =>
    raw.slice(start > open ? start + more : start, end > open ? end + more : end).join('/'),
  )
}

function decodeKeepingSlash(segment: string): string {
  return segment
    .split(/(%2[fF])/)
    .map((part, index) => (index % 2 === 1 ? part : decodeURIComponent(part)))
    .join('')
}

const dotSegment = /^(?:\.|%2[eE]){1,2}$/

class Parser {
  readonly #text: string
  readonly #segments: Segment[] = []
  readonly #variables: Variable[] = []
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  template(): Template {
    this.#expect('/')
    let verb = ''
    if (this.#at < this.#text.length) {
      this.#parseSegments(false)
      if (this.#peek() === ':') {
        this.#at++
        verb = this.#literal(true)
      }
    }
    if (this.#at < this.#text.length) this.#fail('the end of the template')
    if (this.#segments.filter(({ kind }) => kind === 'doubleStar').length > 1) {
      throw new Error(`Template "${this.#text}": "**" stands twice`)
    }
    const names = this.#variables.map((variable) => variable.path.join('.'))
    const twice = names.find((name, index) => names.indexOf(name) !== index)
    if (twice !== undefined) throw new Error(`Template "${this.#text}": variable "${twice}" stands twice`)
    return { text: this.#text, segments: this.#segments, variables: this.#variables, verb }
  }

  #parseSegments(inside: boolean): void {
    for (;;) {
      this.#segment(inside)
      if (this.#peek() !== '/') return
      this.#at++
    }
  }

  #segment(inside: boolean): void {
    const next = this.#peek()
    if (next === '*') {
      this.#at++
      if (this.#peek() === '*') {
        this.#at++
        this.#segments.push({ kind: 'doubleStar' })
      } else {
        this.#segments.push({ kind: 'star' })
      }
    } else if (next === '{') {
      if (inside) this.#fail('a segment without a variable (variables do not nest)')
      this.#variable()
    } else {
      this.#segments.push({ kind: 'literal', text: this.#literal(false) })
    }
  }

  #variable(): void {
    this.#at++
    const start = this.#segments.length
    const path = [this.#identifier()]
    while (this.#peek() === '.') {
      this.#at++
      path.push(this.#identifier())
    }
    if (this.#peek() === '=') {
      this.#at++
      this.#parseSegments(true)
    } else {
      this.#segments.push({ kind: 'star' })
    }
    this.#expect('}')
    const end = this.#segments.length
    const multi = end - start !== 1 || this.#segments[start]?.kind === 'doubleStar'
    this.#variables.push({ path, start, end, multi })
  }

  #identifier(): string {
    const match = /^[A-Za-z_][A-Za-z0-9_]*/.exec(this.#text.slice(this.#at))
    if (match === null) this.#fail('a field name')
    this.#at += match[0].length
    return match[0]
  }

  /**
   * Unreserved characters, percent escapes and the sub-delimiters that mean nothing to the grammar (RFC 3986 section 3.3); without
   * ";", which begins parameters that paths are matched without. Spelled as in a canonical path, or it would match nothing.
   */
  #literal(verb: boolean): string {
    const match = /^(?:[A-Za-z0-9._~!$&'()+,@-]|%[0-9A-Fa-f]{2})+/.exec(this.#text.slice(this.#at))
    if (match === null) this.#fail(verb ? 'a verb' : 'a segment ("*", "**", "{variable}" or a literal)')
    if (dotSegment.test(match[0])) this.#fail('a segment other than "." and ".." (no path keeps those)')
    this.#at += match[0].length
    return canonicalEscapes(match[0])
  }

  #peek(): string {
    return this.#text.charAt(this.#at)
  }

  #expect(character: string): void {
    if (this.#peek() !== character) this.#fail(`"${character}"`)
    this.#at++
  }

  #fail(expected: string): never {
    const found = this.#at < this.#text.length ? `"${this.#peek()}"` : 'the end'
    throw new Error(`Template "${this.#text}", column ${this.#at + 1}: expected ${expected}, found ${found}`)
  }
}
