import type { IncomingMessage } from 'node:http'
import { GatewayError } from '../core/error.ts'
import { isConnectionOption } from '../core/headers.ts'
import { Http2Request } from './http2-messages.ts'

/** What clients may make large. */
export interface WireLimits {
  readonly headerBytes: number
  readonly headerCount: number
  readonly urlBytes: number
}

/** What the head of a request says of its framing. */
export interface WireFacts {
  readonly hasBody: boolean
  readonly contentLength: number | undefined
  readonly expectsContinue: boolean
}

/**
 * Refuses a request head that cannot be read in exactly one way. Node's parser already refuses bare CR and LF, broken chunk sizes and
 * Transfer-Encoding beside Content-Length; what it lets through is looked for here: other versions, TRACE, repeated or invalid Host,
 * encodings other than `chunked`, names with `_`, `Connection` naming an end-to-end header (RFC 9112 sections 3.2, 6.1, 6.3; RFC 9110 section 7.6.1).
 */
export function inspectHead(req: IncomingMessage, limits: WireLimits): WireFacts {
  const { httpVersionMajor, httpVersionMinor, rawHeaders } = req
  // Of a server that is not ours the pseudo-headers are still there.
  const http2 = httpVersionMajor === 2 && req instanceof Http2Request
  if (!http2 && (httpVersionMajor !== 1 || httpVersionMinor > 1)) {
    throw new GatewayError(
      'HTTP_VERSION_REFUSED',
      `HTTP/${req.httpVersion} is not spoken here; use HTTP/1.1.`,
    )
  }
  // CONNECT gets here by HTTP/2 only, and has no path then (RFC 9113 section 8.5).
  if (req.method === 'TRACE' || req.method === 'CONNECT') {
    throw new GatewayError('METHOD_NOT_ALLOWED', `${req.method} is not allowed.`, { headers: ['Allow', ''] })
  }
  if ((req.url as string).length > limits.urlBytes) {
    throw new GatewayError('URL_TOO_LONG', `The request target is longer than ${limits.urlBytes} bytes.`)
  }
  const scan = scanHeaders(rawHeaders, limits)
  if (scan.host === undefined && (http2 || httpVersionMinor === 1))
    throw malformed('The Host header is missing.')
  if (scan.encoding !== undefined) {
    if (httpVersionMinor === 0)
      throw malformed(`Transfer-Encoding is not defined for HTTP/${req.httpVersion}.`)
    if (scan.length !== undefined) throw malformed('Transfer-Encoding and Content-Length exclude each other.')
    if (scan.encoding.toLowerCase() !== 'chunked')
      throw malformed('The only transfer coding accepted is "chunked".')
  }
  if (scan.expect !== undefined && scan.expect.toLowerCase() !== '100-continue') {
    throw new GatewayError('EXPECTATION_FAILED', 'The only expectation accepted is "100-continue".')
  }
  const contentLength = scan.length === undefined ? undefined : Number(scan.length)
  const hasBody = http2
    ? !req.stream.endAfterHeaders
    : scan.encoding !== undefined || (contentLength !== undefined && contentLength > 0)
  // RFC 9110 section 10.1.1: a client of HTTP/1.0 does not know what 100 means.
  const expectsContinue = scan.expect !== undefined && hasBody && (http2 || httpVersionMinor === 1)
  return { hasBody, contentLength: hasBody ? contentLength : undefined, expectsContinue }
}

/** A WebSocket begins with a GET of HTTP/1.1 without a body (RFC 6455 section 4.1); what came behind another would be taken for frames. */
export function inspectUpgrade(req: IncomingMessage, facts: WireFacts): void {
  if (req.method !== 'GET' || req.httpVersionMinor !== 1 || facts.hasBody) {
    throw malformed('A WebSocket begins with a GET of HTTP/1.1 without a body.')
  }
}

interface Scan {
  host: string | undefined
  length: string | undefined
  encoding: string | undefined
  expect: string | undefined
}

/** One walk over the raw headers; the length of a name tells most of them apart without folding its case. */
function scanHeaders(raw: readonly string[], limits: WireLimits): Scan {
  if (raw.length > limits.headerCount * 2) {
    throw new GatewayError('HEADERS_TOO_LARGE', `There are more than ${limits.headerCount} headers.`)
  }
  const scan: Scan = { host: undefined, length: undefined, encoding: undefined, expect: undefined }
  let authorized = false
  let bytes = 0
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string
    const value = raw[i + 1] as string
    bytes += name.length + value.length + 4
    if (name.includes('_')) throw malformed(`The header name "${name.slice(0, 40)}" holds "_".`)
    switch (name.length) {
      case 4:
        if (is(name, 'host')) {
          if (scan.host !== undefined) throw malformed('The Host header stands twice.')
          if (!hostGrammar.test(value)) throw malformed('The Host header is not a host and port.')
          scan.host = value
        }
        break
      case 6:
        if (is(name, 'expect')) scan.expect = value
        break
      case 10:
        if (is(name, 'connection')) inspectConnection(value)
        break
      case 13:
        if (is(name, 'authorization')) {
          if (authorized) throw malformed('The Authorization header stands twice.')
          authorized = true
        }
        break
      case 14:
        if (is(name, 'content-length')) {
          if (scan.length !== undefined) throw malformed('The Content-Length header stands twice.')
          if (!/^\d{1,15}$/.test(value)) throw malformed('The Content-Length header is not a number.')
          scan.length = value
        }
        break
      case 17:
        if (is(name, 'transfer-encoding')) {
          if (scan.encoding !== undefined) throw malformed('The Transfer-Encoding header stands twice.')
          scan.encoding = value
        }
        break
    }
  }
  if (bytes > limits.headerBytes) {
    throw new GatewayError('HEADERS_TOO_LARGE', `The headers are larger than ${limits.headerBytes} bytes.`)
  }
  return scan
}

function is(name: string, lower: string): boolean {
  return name === lower || name.toLowerCase() === lower
}

function inspectConnection(value: string): void {
  if (value === 'keep-alive' || value === 'close') return
  for (const token of value.split(',')) {
    const option = token.trim().toLowerCase()
    if (option !== '' && !isConnectionOption(option)) {
      throw malformed(`The Connection header names "${option.slice(0, 40)}", which is no connection option.`)
    }
  }
}

function malformed(message: string): GatewayError {
  return new GatewayError('MALFORMED_REQUEST', message)
}

/** RFC 3986 section 3.2.2, without userinfo: a registered name or IPv4 address, or a bracketed IPv6 address, then a port. */
const hostGrammar = /^(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/
