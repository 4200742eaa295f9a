import type { Exchange } from './exchange.ts'
import { classifyRequestHeader } from './headers.ts'
import { messageOf } from './message-of.ts'
import { foldHeaderName } from './take-out-headers.ts'
import { compileText, isLiteral, type Place, renderText, type TextTemplate } from './text-template.ts'

/** Changes to the headers of one direction, as configured; names in any case. */
export interface HeaderChanges {
  readonly remove: readonly string[]
  /** From the first name to the second. */
  readonly rename: Readonly<Record<string, string>>
  /** Replaces what is there of the name. */
  readonly set: Readonly<Record<string, string>>
  /** Beside what is there of the name. */
  readonly add: Readonly<Record<string, string>>
}

export type Direction = 'request' | 'response'

/** What is to be done to a header. */
export type Change = keyof HeaderChanges

/** Changes the flat headers of one exchange in place. */
export type ChangeHeaders = (x: Exchange, headers: string[]) => void

/** Why a header must not be changed like that; undefined when it may. Names of any case. */
export function headerProblem(direction: Direction, change: Change, name: string): string | undefined {
  const folded = name.toLowerCase().replaceAll('_', '-')
  if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) return `"${name}" is no header name`
  if (framing.has(folded)) return `"${name}" describes the message itself and cannot be changed`
  if (folded.startsWith('grpc-') || folded.endsWith('-bin')) return `"${name}" belongs to gRPC`
  if (folded.startsWith('sec-websocket-')) return `"${name}" belongs to WebSockets`
  if (direction === 'request') {
    if (classifyRequestHeader(name) !== 'drop') return undefined
    return `"${name}" is written by the gateway alone: backends rely on it`
  }
  if (change !== 'remove' && written.has(folded)) return `"${name}" is written by the gateway alone`
  return undefined
}

/** Compiles changes for their place; undefined when there are none. Throws an Error that names the header. */
export function compileHeaderChanges(
  changes: HeaderChanges,
  place: Place,
  direction: Direction,
): ChangeHeaders | undefined {
  const set = compileHeaderTexts(changes.set, place, direction)
  const add = compileHeaderTexts(changes.add, place, direction)
  const renamed = new Map(Object.entries(changes.rename).map(([from, to]) => [foldHeaderName(from), to]))
  const gone = new Set([...changes.remove, ...Object.keys(changes.set)].map(foldHeaderName))
  for (const to of renamed.values()) {
    if (direction === 'request' && place.credentialHeaders.has(to.toLowerCase()))
      throw new Error(`request header "${to}" holds credentials: nothing is renamed to it`)
  }
  const named = [...gone, ...renamed.keys(), ...renamed.values(), ...Object.keys(changes.add)].map(
    foldHeaderName,
  )
  if (named.includes('content-type') && place.protocol !== 'rest')
    throw new Error('"content-type" can be changed in REST routes only: the other protocols depend on it')
  if (named.length === 0) return undefined
  return (x, headers) => {
    if (gone.size > 0 || renamed.size > 0) takeOut(headers, gone, renamed)
    push(x, headers, set)
    push(x, headers, add)
  }
}

/** A header and the text that it gets. */
export interface Written {
  /** Lower case in requests. */
  readonly name: string
  readonly text: TextTemplate
}

/** Compiles texts by the names of their headers. Throws an Error that names the header. */
export function compileHeaderTexts(
  texts: Readonly<Record<string, string>>,
  place: Place,
  direction: Direction,
): Written[] {
  return Object.entries(texts).map(([written, value]) => {
    const name = direction === 'request' ? written.toLowerCase() : written
    try {
      const text = compileText(value, place)
      const problem = isLiteral(text) ? undefined : variableProblem(direction, name, place)
      if (problem !== undefined) throw new Error(problem)
      return { name, text }
    } catch (error) {
      throw new Error(`${direction} header "${written}": ${messageOf(error)}`)
    }
  })
}

/** Where a value out of a request would be an open door. */
function variableProblem(direction: Direction, name: string, place: Place): string | undefined {
  const folded = foldHeaderName(name)
  if (direction === 'request') {
    const credential = classifyRequestHeader(folded) === 'credential' || place.credentialHeaders.has(folded)
    return credential ? 'credentials are written out, never made of values' : undefined
  }
  if (!obeyed.has(folded) && !folded.startsWith('access-control-')) return undefined
  return 'browsers obey this header: it is written out, never made of values'
}

function push(x: Exchange, headers: string[], all: readonly Written[]): void {
  for (let i = 0; i < all.length; i++) {
    const { name, text } = all[i] as Written
    const value = renderText(text, x, headerValue).trim()
    if (value !== '') headers.push(name, value)
  }
}

function takeOut(headers: string[], gone: ReadonlySet<string>, renamed: ReadonlyMap<string, string>): void {
  let kept = 0
  for (let i = 0; i < headers.length; i += 2) {
    const folded = foldHeaderName(headers[i] as string)
    if (gone.has(folded)) continue
    headers[kept++] = renamed.get(folded) ?? (headers[i] as string)
    headers[kept++] = headers[i + 1] as string
  }
  headers.length = kept
}

/**
 * A value as it can stand in a header: printable ASCII as it is, all else as percent-encoded UTF-8, so that no value ends a header. One
 * that would be longer than 4,096 characters counts as not there, because cut to fit it could be another one.
 */
export function headerValue(value: string | undefined): string {
  if (value === undefined || value === '') return ''
  const spelled = value.replace(/[^ -~]+/g, (odd) => encodeURIComponent(odd.toWellFormed()))
  return spelled.length > 4_096 ? '' : spelled
}

/** How long a message is, how it is coded and which part of it this is; and what belongs to one connection. */
const framing = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-range',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** What the gateway says of itself in answers. */
const written = new Set([
  'proxy-status',
  'server-timing',
  'via',
  'x-request-id',
  'x-response-time',
  'x-trace-id',
])

/** Headers of answers by which a browser is sent elsewhere or lets others in. */
const obeyed = new Set(['content-security-policy', 'link', 'location', 'refresh', 'set-cookie'])
