import { connect, isIP, type LookupFunction, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import type { CallFailure } from './call-failure.ts'

/** Where a connection goes. */
export interface Destination {
  /** A name or an address, IPv6 without brackets. */
  readonly host: string
  readonly port: number
  /** TLS with ALPN `h2`; undefined: cleartext. */
  readonly tls: TlsOptions | undefined
  /** How the name is found. Default: as Node does. */
  readonly lookup?: LookupFunction | undefined
}

/** How the peer of a TLS connection is verified, and who we are to it. */
export interface TlsOptions {
  /** Certificates of authorities in PEM. Default: those that Node comes with. */
  readonly ca?: string | Buffer | undefined
  /** Our own certificate and key in PEM, for mutual TLS. */
  readonly cert?: string | Buffer | undefined
  readonly key?: string | Buffer | undefined
  /** The name that the certificate must be for. Default: the host. */
  readonly serverName?: string | undefined
  /** Takes any certificate. Default false. */
  readonly insecureSkipVerify?: boolean
}

/** The destination of `http://host:port` or `https://host:port`. */
export function destinationOf(url: string, tls: TlsOptions = {}): Destination {
  const { hostname, port, protocol } = new URL(url)
  const secure = protocol === 'https:'
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? (secure ? 443 : 80) : Number(port),
    tls: secure ? tls : undefined,
  }
}

/** Opens a socket; `connect`, with TLS `secureConnect`, or `error` follows. */
export function dial({ host, port, tls, lookup }: Destination): Socket {
  if (tls === undefined) return connect({ host, port, lookup, noDelay: true, keepAlive: true })
  const { ca, cert, key, serverName = isIP(host) === 0 ? host : '' } = tls
  return connectTls({
    host,
    port,
    lookup,
    ALPNProtocols: ['h2'],
    servername: serverName,
    rejectUnauthorized: tls.insecureSkipVerify !== true,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  }).setNoDelay(true)
}

/** Undefined when the peer agreed to speak HTTP/2, which over TLS it has to say. Source: RFC 9113 section 3.2. */
export function refusedProtocol(socket: Socket | TLSSocket): CallFailure | undefined {
  if (!('alpnProtocol' in socket) || socket.alpnProtocol === 'h2') return undefined
  return unreached('tls', 'The server does not speak HTTP/2: it did not choose "h2" by ALPN.')
}

/** Why there is no connection. */
export function connectFailure(
  error: Error | undefined,
  { secure, connected }: { readonly secure: boolean; readonly connected: boolean },
): CallFailure {
  const message = `No connection established: ${error === undefined ? 'it was closed.' : messageOf(error)}`
  const { code = '', syscall } = (firstOf(error) ?? {}) as NodeJS.ErrnoException
  if (syscall === 'getaddrinfo') return unreached('dns', message)
  if (secure && connected) return unreached('tls', message)
  if (code === 'ETIMEDOUT') return unreached('connectTimeout', message)
  return unreached(connected ? 'reset' : 'refused', message)
}

/** A failure before anything of a call was sent. */
export function unreached(failure: CallFailure['failure'], message: string): CallFailure {
  return { failure, code: 14, message, reached: false }
}

/** A name with several addresses fails with the errors of all. */
function firstOf(error: Error | undefined): Error | undefined {
  return error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error
}

function messageOf(error: Error): string {
  return firstOf(error)?.message ?? error.message
}
