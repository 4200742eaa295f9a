import { withoutCookies } from '../../../core/cookies.ts'
import type { Exchange } from '../../../core/exchange.ts'
import { beginsAs, describesMessage, readNamePatterns } from '../../../core/forwarded-headers.ts'
import {
  type ChangeHeaders,
  compileHeaderChanges,
  compileHeaderTexts,
  type HeaderChanges,
  headerValue,
} from '../../../core/header-changes.ts'
import { classifyRequestHeader } from '../../../core/headers.ts'
import { within } from '../../../core/mistake.ts'
import { foldHeaderName } from '../../../core/take-out-headers.ts'
import { type Place, renderText } from '../../../core/text-template.ts'
import { forwardingHeaders } from '../../../traffic/forwarding.ts'

/** What the client's request gives to the fetches of one place of the configuration, in the order of their use. */
export interface RequestHeaderRules extends HeaderChanges {
  /** Names of the client's headers, or `x-*`. A pattern covers no credentials and no cookies: these are named. */
  readonly forward: readonly string[]
  /** Texts for headers that would not be there. */
  readonly default: Readonly<Record<string, string>>
}

/** What {@link compileRequestHeaders} needs. */
export interface RequestHeaderOptions {
  /** One after the other: those for all subgraphs, then the subgraph's own. */
  readonly rules: readonly RequestHeaderRules[]
  readonly place: Place
  /** Names of cookies with credentials: they stay here where credentials are not forwarded. */
  readonly credentialCookies: readonly string[]
}

/** The headers of one fetch, flat, without those by which a transport describes its message; the caller owns them. */
export type HeadersFor = (x: Exchange) => string[]

/**
 * Compiles what a subgraph is sent: where the request came from, the client's language, its credentials where the place forwards them, and what the
 * rules say. Throws a Mistake below the index of the rules.
 */
export function compileRequestHeaders(options: RequestHeaderOptions): HeadersFor {
  const { rules, place } = options
  const credentials = [...new Set([...usualCredentials, ...place.credentialHeaders])]
  const steps = rules.flatMap((one, index) => within([index], () => compileRules(one, options)))
  return (x) => {
    const headers = forwardingHeaders(x.request, '')
    pass(x, 'accept-language', headers)
    if (x.route.policy.forwardCredentials)
      for (let i = 0; i < credentials.length; i++) pass(x, credentials[i] as string, headers)
    for (let i = 0; i < steps.length; i++) steps[i]?.(x, headers)
    return headers
  }
}

function compileRules(
  rules: RequestHeaderRules,
  { place, credentialCookies }: RequestHeaderOptions,
): ChangeHeaders[] {
  const forward = forwarding([...rules.forward, ...Object.keys(rules.rename)], place, credentialCookies)
  const change = compileHeaderChanges(rules, place, 'request')
  const fill = defaults(rules.default, place)
  return [forward, change, fill].filter((step) => step !== undefined)
}

function forwarding(
  written: readonly string[],
  { credentialHeaders }: Place,
  credentialCookies: readonly string[],
): ChangeHeaders | undefined {
  const { names, prefixes } = readNamePatterns(written)
  const folded = names.map(foldHeaderName)
  if (names.length === 0 && prefixes.length === 0) return undefined
  return (x, headers) => {
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as string
      if (has(headers, folded[i] as string)) continue
      if (name !== 'cookie') pass(x, name, headers)
      else passCookies(x, headers, x.route.policy.forwardCredentials ? none : credentialCookies)
    }
    if (prefixes.length === 0) return
    for (const name in x.request.headers) {
      if (!beginsAs(prefixes, name) || !isOpen(name) || credentialHeaders.has(name)) continue
      if (!has(headers, foldHeaderName(name))) pass(x, name, headers)
    }
  }
}

/** What a pattern may cover. HTTP/2 has pseudo-headers among the others. */
function isOpen(name: string): boolean {
  return (
    name !== 'cookie' &&
    !name.startsWith(':') &&
    !describesMessage(name) &&
    classifyRequestHeader(name) === 'pass'
  )
}

function defaults(texts: RequestHeaderRules['default'], place: Place): ChangeHeaders | undefined {
  const all = within(['default'], () => compileHeaderTexts(texts, place, 'request'))
  if (all.length === 0) return undefined
  return (x, headers) => {
    for (const { name, text } of all) {
      if (has(headers, foldHeaderName(name))) continue
      const value = renderText(text, x, headerValue).trim()
      if (value !== '') headers.push(name, value)
    }
  }
}

function pass(x: Exchange, name: string, headers: string[]): void {
  const value = x.request.headers[name]
  if (value !== undefined) headers.push(name, String(value))
}

function passCookies(x: Exchange, headers: string[], hidden: readonly string[]): void {
  const cookies = withoutCookies(x.header('cookie') ?? '', hidden)
  if (cookies !== '') headers.push('cookie', cookies)
}

/** Folding keeps the length, and costs more than to compare it. */
function has(headers: readonly string[], folded: string): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string
    if (name.length === folded.length && foldHeaderName(name) === folded) return true
  }
  return false
}

const usualCredentials = ['authorization', 'x-api-key']
const none: readonly string[] = []

/** Of what no rules are said. */
export const usualHeaders: HeadersFor = compileRequestHeaders({
  rules: [],
  place: { protocol: 'graphql', variable: () => undefined, credentialHeaders: new Set() },
  credentialCookies: [],
})
