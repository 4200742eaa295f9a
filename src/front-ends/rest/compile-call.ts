import { isUtf8 } from 'node:buffer'
import type { CallLimits } from '../../core/call-limits.ts'
import { GatewayError } from '../../core/error.ts'
import type { Exchange } from '../../core/exchange.ts'
import { compileHeaderChanges } from '../../core/header-changes.ts'
import { compileJson, onlyValue } from '../../core/json-template.ts'
import { parseJson, scalarText } from '../../core/json-value.ts'
import { essence, isJsonType } from '../../core/media-type.ts'
import { within } from '../../core/mistake.ts'
import { compileText, type Place, renderText, type TextTemplate } from '../../core/text-template.ts'
import { type BufferedAnswer, bufferedTransport } from '../../traffic/buffered-call.ts'
import type { Destination } from '../../traffic/destination.ts'
import { dispatch } from '../../traffic/dispatch.ts'
import { forwardingHeaders } from '../../traffic/forwarding.ts'
import { OwnCall } from './own-call.ts'
import { pathText } from './url-text.ts'

/** An HTTP call as it is configured; values may stand in path, query, headers and body. */
export interface HttpCallOptions {
  readonly destination: Destination
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  /** One parameter each; a list of texts is one for every value of each of them. */
  readonly query: Readonly<Record<string, string | readonly string[]>>
  readonly headers: Readonly<Record<string, string>>
  /** JSON; undefined: none. */
  readonly body: unknown
  readonly answer: 'json' | 'text'
  /** The headers of every call, flat, made anew each time. */
  headersFor(x: Exchange): string[]
  /** Whether doing it twice is the same as once. Default: as the method says. */
  readonly idempotent?: boolean
}

/** Makes the call of one exchange. Rejects with a GatewayError when it failed, or its answer is none of the kind expected. */
export type HttpCall = (x: Exchange, limits: CallLimits) => Promise<HttpOutcome>

/** What a call was answered with: JSON (or a text), or another status than 2xx, with the headers that belong to it. */
export type HttpOutcome =
  | { readonly value: unknown }
  | { readonly status: number; readonly message: string; readonly headers: readonly string[] }

/** Compiles an HTTP call. Values are read before it returns its promise. Throws a Mistake for values that the place has not. */
export function compileHttpCall(options: HttpCallOptions, place: Place): HttpCall {
  const { destination, method, headersFor } = options
  const path = within(['path'], () => compileText(options.path, place))
  const query = compileQuery(options.query, place)
  const changes = { remove: [], rename: {}, set: options.headers, add: {} }
  const change = within(['headers'], () => compileHeaderChanges(changes, place, 'request'))
  const body =
    options.body === undefined ? undefined : within(['body'], () => compileJson(options.body, place))
  return async (x, { deadlineAt, maxAnswerBytes }) => {
    const headers = headersFor(x)
    headers.push(
      'accept-encoding',
      'identity',
      'accept',
      options.answer === 'json' ? 'application/json' : '*/*',
    )
    const written = body === undefined ? null : Buffer.from(JSON.stringify(body(x) ?? null))
    if (written !== null) headers.push('content-type', 'application/json')
    change?.(x, headers)
    const call = new OwnCall(x, destination, {
      method,
      path: pathText(path, x) + query(x),
      headers,
      body: written,
      idempotent: options.idempotent,
      deadlineAt,
      maxAnswerBytes,
    })
    const answer = await dispatch<OwnCall, BufferedAnswer>(call, bufferedTransport)
    return read(answer, options.answer, call.upstreamName)
  }
}

function compileQuery(written: HttpCallOptions['query'], place: Place): (x: Exchange) => string {
  const parameters = Object.entries(written).flatMap(([name, texts]) => {
    const compile = (text: string): TextTemplate => within(['query', name], () => compileText(text, place))
    const encoded = encodeURIComponent(name)
    if (typeof texts === 'string') return { name: encoded, values: oneValue(compile(texts)) }
    return texts.map((text) => ({ name: encoded, values: allValues(compile(text)) }))
  })
  return (x) => {
    let query = ''
    for (const { name, values } of parameters) {
      for (const value of values(x)) {
        if (value === '') continue
        query += `${query === '' ? '?' : '&'}${name}=${encodeURIComponent(value.toWellFormed())}`
      }
    }
    return query
  }
}

type ParameterValues = (x: Exchange) => readonly string[]

function oneValue(text: TextTemplate): ParameterValues {
  return (x) => [renderText(text, x, (found = '') => found)]
}

/** Every item of the list that a text stands for. */
function allValues(text: TextTemplate): ParameterValues {
  const json = onlyValue(text)?.json
  const one = oneValue(text)
  return (x) => {
    const found = json?.(x)
    return Array.isArray(found) ? found.map((item) => scalarText(item) ?? '') : one(x)
  }
}

/**
 * The headers of calls that are made for a client, not by it: of the client's own only what says who asks, and in which language.
 * `credentialHeaders`: lower-case names of those that go along where the route forwards credentials.
 */
export function usualHeaders(credentialHeaders: readonly string[]): HttpCallOptions['headersFor'] {
  return (x) => {
    const headers = forwardingHeaders(x.request, '')
    const names = x.route.policy.forwardCredentials ? [...always, ...credentialHeaders] : always
    for (const name of names) {
      const value = x.header(name)
      if (value !== undefined) headers.push(name, value)
    }
    return headers
  }
}

const always = ['accept-language']

/** Throws a GatewayError for an answer that is none of the kind expected. */
function read({ status, headers, body }: BufferedAnswer, kind: 'json' | 'text', name: string): HttpOutcome {
  if (status < 200 || status > 299) {
    const passed = (['www-authenticate', 'retry-after'] as const).flatMap((header) => {
      const value = headers[header]
      return typeof value === 'string' ? [header, value] : []
    })
    return { status, message: `Upstream "${name}" answered ${status}.`, headers: passed }
  }
  const coding = headers['content-encoding'] ?? 'identity'
  if (coding !== 'identity') throw unreadable(name, `is coded (${coding.slice(0, 40)})`)
  if (!isUtf8(body)) throw unreadable(name, 'is not in UTF-8')
  if (kind === 'text') return { value: body.toString() }
  if (body.length === 0) return { value: null }
  const type = essence(headers['content-type'] ?? 'application/json')
  if (!isJsonType(type)) throw unreadable(name, `is ${type.slice(0, 80)} instead of JSON`)
  try {
    return { value: parseJson(body.toString()) }
  } catch (cause) {
    throw unreadable(name, 'is no valid JSON', cause)
  }
}

function unreadable(name: string, what: string, cause?: unknown): GatewayError {
  return new GatewayError('UPSTREAM_BAD_ANSWER', `The answer of upstream "${name}" ${what}.`, { cause })
}
