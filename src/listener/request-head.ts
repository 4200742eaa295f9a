import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { plainAddress, type TrustedProxies } from '../core/client-address.ts'
import { GatewayError } from '../core/error.ts'
import type { RequestHead } from '../core/exchange.ts'
import { type CanonicalPath, canonicalPath } from '../routing/canonical-path.ts'
import { clientCertificateOf } from './client-certificate.ts'

/** A request's head in protocol-neutral words, and its path in canonical spelling. */
export interface ReadHead {
  readonly request: RequestHead
  readonly path: CanonicalPath
}

/** Reads the target (origin or absolute form, RFC 9112 section 3.2) and who sent it. Throws PATH_REFUSED. */
export function readHead(req: IncomingMessage, proxies: TrustedProxies): ReadHead {
  const target = splitTarget(req.url as string)
  const path = canonicalPath(target.path)
  return { request: makeHead(req, proxies, { ...target, path: path.path }), path }
}

/** The head of a request whose target could not be read; for its refusal and its log line. */
export function unreadableHead(req: IncomingMessage, proxies: TrustedProxies): RequestHead {
  return makeHead(req, proxies, { path: '/', query: '', host: undefined })
}

/** What a request line asks for. */
export interface Target {
  readonly path: string
  readonly query: string
  /** Of an absolute-form target, which then replaces Host. */
  readonly host: string | undefined
}

function makeHead(req: IncomingMessage, proxies: TrustedProxies, target: Target): RequestHead {
  const { socket, headers } = req
  const peerAddress = plainAddress(socket.remoteAddress ?? '')
  const secure = (socket as TLSSocket).encrypted === true
  return {
    method: req.method as string,
    path: target.path,
    query: target.query,
    host: target.host ?? headers.host ?? '',
    scheme: secure ? 'https' : 'http',
    clientCertificate: secure ? clientCertificateOf(socket) : undefined,
    headers,
    peerAddress,
    peerTrusted: proxies.trusts(peerAddress),
    clientAddress: proxies.clientAddress(peerAddress, headers['x-forwarded-for']),
    receivedAt: Date.now(),
    startedAt: performance.now(),
  }
}

/** Reads a target in origin or absolute form (RFC 9112 section 3.2). Throws PATH_REFUSED. */
export function splitTarget(url: string): Target {
  let rest = url
  let host: string | undefined
  if (!url.startsWith('/')) {
    const absolute =
      /^https?:\/\/([A-Za-z0-9._~-]+(?::\d{1,5})?|\[[0-9A-Fa-f:.]+\](?::\d{1,5})?)(\/.*|\?.*|)$/is.exec(url)
    if (absolute === null)
      throw new GatewayError('PATH_REFUSED', 'The request target is neither a path nor an http URL.')
    host = absolute[1]
    const after = absolute[2] ?? ''
    rest = after.startsWith('/') ? after : `/${after}`
  }
  const question = rest.indexOf('?')
  if (question === -1) return { path: rest, query: '', host }
  const query = rest.slice(question + 1)
  if (query.includes('#')) throw new GatewayError('PATH_REFUSED', 'The query holds "#".')
  return { path: rest.slice(0, question), query, host }
}
