import { isUtf8 } from 'node:buffer'
import { GatewayError } from '../../../core/error.ts'
import { compileHeaderChanges } from '../../../core/header-changes.ts'
import type { HttpExchange } from '../../../core/http-exchange.ts'
import { compileJson } from '../../../core/json-template.ts'
import { parseJson } from '../../../core/json-value.ts'
import { essence, isJsonType } from '../../../core/media-type.ts'
import { within } from '../../../core/mistake.ts'
import { compileText, type Place, renderText } from '../../../core/text-template.ts'
import { type BufferedAnswer, bufferedTransport } from '../../../traffic/buffered-call.ts'
import type { Destination } from '../../../traffic/destination.ts'
import { dispatch } from '../../../traffic/dispatch.ts'
import { forwardingHeaders } from '../../../traffic/forwarding.ts'
import { pathText } from '../url-text.ts'
import { type PartAnswer, type RunPart, refusedPart } from './part.ts'
import { PartCall } from './part-call.ts'

/** One HTTP call of an aggregation; values may stand in path, query, headers and body. */
export interface RestPartOptions {
  readonly destination: Destination
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
  /** JSON; undefined: none. */
  readonly body: unknown
  readonly answer: 'json' | 'text'
  /** Lower-case names of request headers with credentials, which go along where the route forwards them. */
  readonly credentialHeaders: readonly string[]
}

/** Compiles an HTTP part. Throws a Mistake for values that the place has not. */
export function compileRestPart(options: RestPartOptions, place: Place): RunPart {
  const { destination, method, credentialHeaders } = options
  const path = within(['path'], () => compileText(options.path, place))
  const query = compileQuery(options.query, place)
  const changes = { remove: [], rename: {}, set: options.headers, add: {} }
  const change = within(['headers'], () => compileHeaderChanges(changes, place, 'request'))
  const body =
    options.body === undefined ? undefined : within(['body'], () => compileJson(options.body, place))
  return async (x, { deadlineAt, maxAnswerBytes }) => {
    const headers = partHeaders(x, credentialHeaders)
    headers.push('accept', options.answer === 'json' ? 'application/json' : '*/*')
    const written = body === undefined ? null : Buffer.from(JSON.stringify(body(x) ?? null))
    if (written !== null) headers.push('content-type', 'application/json')
    change?.(x, headers)
    const call = new PartCall(x, destination, {
      method,
      path: pathText(path, x) + query(x),
      headers,
      body: written,
      deadlineAt,
      maxAnswerBytes,
    })
    const answer = await dispatch<PartCall, BufferedAnswer>(call, bufferedTransport)
    return read(answer, options.answer, call.upstreamName)
  }
}

function compileQuery(written: Readonly<Record<string, string>>, place: Place): (x: HttpExchange) => string {
  const parameters = Object.entries(written).map(([name, text]) => ({
    name: encodeURIComponent(name),
    text: within(['query', name], () => compileText(text, place)),
  }))
  return (x) => {
    let query = ''
    for (const { name, text } of parameters) {
      const value = renderText(text, x, (found = '') => found)
      if (value === '') continue
      query += `${query === '' ? '?' : '&'}${name}=${encodeURIComponent(value.toWellFormed())}`
    }
    return query
  }
}

/** A call is made for the client, not by it: of its headers only what says who asks, and in which language. */
function partHeaders(x: HttpExchange, credentialHeaders: readonly string[]): string[] {
  const headers = forwardingHeaders(x.request, '')
  headers.push('accept-encoding', 'identity')
  const names = x.route.policy.forwardCredentials ? [...always, ...credentialHeaders] : always
  for (const name of names) {
    const value = x.header(name)
    if (value !== undefined) headers.push(name, value)
  }
  return headers
}

const always = ['accept-language']

/** Throws a GatewayError for an answer that is none of the kind expected. */
function read({ status, headers, body }: BufferedAnswer, kind: 'json' | 'text', name: string): PartAnswer {
  if (status < 200 || status > 299) {
    const passed = (['www-authenticate', 'retry-after'] as const).flatMap((header) => {
      const value = headers[header]
      return typeof value === 'string' ? [header, value] : []
    })
    throw refusedPart(status, `Upstream "${name}" answered ${status}.`, passed)
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
