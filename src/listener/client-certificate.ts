import type { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { ClientCertificate } from '../core/principal.ts'
import { oneLine } from './tls-identities.ts'

/** Remembers, once per connection, which certificate its client has proved to own. */
export function noteClientCertificate(socket: TLSSocket, { subject, fingerprint256 }: X509Certificate): void {
  const noted: Noted = socket
  noted[key] = { subject: oneLine(subject), fingerprint: fingerprint256.replaceAll(':', '').toLowerCase() }
}

/** The certificate of the client at the other end; undefined when it showed none. Also of the socket that a request of HTTP/2 shows. */
export function clientCertificateOf(socket: Socket): ClientCertificate | undefined {
  return (socket as Noted)[key]
}

interface Noted extends Socket {
  [key]?: ClientCertificate
}

/** On the socket itself: requests of HTTP/2 have a proxy of it, which a map would not know. */
const key = Symbol('client certificate')
