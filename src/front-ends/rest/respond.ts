import { hash } from 'node:crypto'
import type { Exchange } from '../../core/exchange.ts'
import { compileHeaderChanges } from '../../core/header-changes.ts'
import type { HttpExchange } from '../../core/http-exchange.ts'
import { readOff } from '../../core/request-body.ts'
import {
  compileText,
  isLiteral,
  type Place,
  renderText,
  type TextTemplate,
} from '../../core/text-template.ts'

/** What a static route answers. */
export interface RespondOptions {
  readonly status: number
  /** Values may stand in them. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: StaticBody
}

/** The body: bytes as they are, or JSON in whose texts values may stand. */
export type StaticBody =
  | { readonly kind: 'bytes'; readonly bytes: Buffer; readonly contentType: string }
  | { readonly kind: 'json'; readonly json: unknown }

/** Compiles a route that answers by itself. Throws an Error for values that the place has not. */
export function compileRespond(
  options: RespondOptions,
  place: Place,
): (x: HttpExchange) => void | Promise<void> {
  const answer = compileAnswer(options, place)
  return (x) => (x.hasBody ? readOff(x).then(() => answer(x)) : answer(x))
}

/**
 * Compiles a static answer. A body that is the same for everybody has an ETag, and clients that know it get 304. Throws an Error for
 * values that the place has not.
 */
export function compileAnswer(
  { status, headers, body }: RespondOptions,
  place: Place,
): (x: HttpExchange) => void {
  const change = compileHeaderChanges({ remove: [], rename: {}, set: headers, add: {} }, place, 'response')
  const own = Object.keys(headers).some((name) => name.toLowerCase() === 'content-type')
  const { contentType, text } = compileBody(body, place)
  const same = typeof text === 'function' ? undefined : text
  const etag =
    same === undefined || status !== 200 ? undefined : `"${hash('sha256', same, 'base64url').slice(0, 22)}"`
  return (x) => {
    const head: string[] = []
    change?.(x, head)
    if (etag !== undefined) head.push('ETag', etag)
    if (etag !== undefined && isKnown(x, etag)) {
      x.answer(304, head, '')
      return
    }
    if (!own && contentType !== '') head.push('Content-Type', contentType)
    x.answer(status, head, typeof text === 'function' ? text(x) : text)
  }
}

/** RFC 9110 section 13.1.2: tags are compared weakly, `*` is any. */
function isKnown(x: Exchange, etag: string): boolean {
  if (x.request.method !== 'GET' && x.request.method !== 'HEAD') return false
  const known = x.header('if-none-match') ?? ''
  return known.split(',').some((tag) => {
    const text = tag.trim()
    return text === '*' || text === etag || text === `W/${etag}`
  })
}

interface CompiledBody {
  readonly contentType: string
  readonly text: Buffer | ((x: Exchange) => string)
}

function compileBody(body: StaticBody, place: Place): CompiledBody {
  if (body.kind === 'bytes') return { contentType: body.contentType, text: body.bytes }
  const parts: TextTemplate[] = []
  writeJson(body.json, { place, parts })
  const contentType = 'application/json'
  if (parts.every(isLiteral)) return { contentType, text: Buffer.from(parts.flat().join('')) }
  // Inside the quotes of a JSON text, whatever the value holds.
  const quoted = (value = ''): string => JSON.stringify(value.toWellFormed()).slice(1, -1)
  return { contentType, text: (x) => parts.map((part) => renderText(part, x, quoted)).join('') }
}

/** Appends the JSON of a value, its texts as templates. */
function writeJson(value: unknown, out: { readonly place: Place; readonly parts: TextTemplate[] }): void {
  const { place, parts } = out
  if (typeof value === 'string') {
    const text = compileText(value, place)
    parts.push(
      ['"'],
      text.map((part) => (typeof part === 'string' ? JSON.stringify(part).slice(1, -1) : part)),
      ['"'],
    )
  } else if (Array.isArray(value)) {
    value.forEach((item, index) => {
      parts.push([index === 0 ? '[' : ','])
      writeJson(item, out)
    })
    parts.push([value.length === 0 ? '[]' : ']'])
  } else if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
    entries.forEach(([key, item], index) => {
      parts.push([`${index === 0 ? '{' : ','}${JSON.stringify(key)}:`])
      writeJson(item, out)
    })
    parts.push([entries.length === 0 ? '{}' : '}'])
  } else parts.push([JSON.stringify(value)])
}
