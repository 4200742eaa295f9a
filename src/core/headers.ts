import { foldHeaderName } from './take-out-headers.ts'

/** How a client's header is treated on its way to an upstream. */
export type HeaderClass = 'pass' | 'drop' | 'credential'

/**
 * Headers that describe one connection and never pass (RFC 9110 section 7.6.1), plus those that the gateway writes anew.
 * `te` is written anew as `trailers` where it matters.
 */
const hopByHop = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]

/** Headers by which backends know what the gateway established; a client's own copies are always removed. */
const identityHeaders = [
  'x-user-id',
  'x-user-issuer',
  'x-user-name',
  'x-user-role',
  'x-user-scopes',
  'x-consumer',
  'x-gateway',
  'x-gateway-token',
  'x-canary',
  'x-gateway-mirror',
]

/** Headers that the gateway writes on every call; the client's own are read first and then replaced. */
const rewritten = [
  'host',
  'expect',
  'x-request-id',
  'x-trace-id',
  'traceparent',
  'tracestate',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-prefix',
  'x-forwarded-client-cert',
  'x-real-ip',
  'client-cert',
  'client-cert-chain',
  'via',
]

/** Headers by which some backends take a request for another one than was routed and authorised. */
const overrides = [
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-original-url',
  'x-rewrite-url',
]

const credentials = ['authorization', 'x-api-key']

const classes = new Map<string, HeaderClass>()
for (const name of [...hopByHop, ...identityHeaders, ...rewritten, ...overrides]) classes.set(name, 'drop')
for (const name of credentials) classes.set(name, 'credential')

/**
 * The class of a request header, in any spelling of its name: backends may read every sign but letters and digits as one and the same, as
 * CGI does (RFC 3875 section 4.1.18 and those who are freer). Spellings seen are remembered (at most 2,000), because clients
 * send the same few names over and over and folding them costs more than looking them up; long ones are not worth their room.
 */
export function classifyRequestHeader(name: string): HeaderClass {
  const known = classes.get(name)
  if (known !== undefined) return known
  const found = ofFolded(foldHeaderName(name))
  if (classes.size < 2_000 && name.length <= 40) classes.set(name, found)
  return found
}

/** Whatever is said to be forwarded is said by the gateway, also in headers that it does not write itself. */
function ofFolded(name: string): HeaderClass {
  return classes.get(name) ?? (name.startsWith('x-forwarded-') ? 'drop' : 'pass')
}

const replyDropped = new Set([
  ...hopByHop,
  'proxy-status',
  'x-canary',
  'x-request-id',
  'x-trace-id',
  'x-response-time',
])
const replyClasses = new Map<string, boolean>()

/** Whether a header of an upstream's answer goes on to the client. */
export function passesToClient(name: string): boolean {
  const known = replyClasses.get(name)
  if (known !== undefined) return known
  const passes = !replyDropped.has(name.toLowerCase())
  if (replyClasses.size < 2_000 && name.length <= 40) replyClasses.set(name, passes)
  return passes
}

/** Whether a client may name this header in `Connection` (RFC 9110 section 7.6.1: never an end-to-end one). */
export function isConnectionOption(token: string): boolean {
  return connectionOptions.has(token)
}

const connectionOptions = new Set([
  'close',
  'keep-alive',
  'upgrade',
  'te',
  'http2-settings',
  'proxy-connection',
  'trailer',
])
