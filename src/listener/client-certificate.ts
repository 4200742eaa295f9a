import type { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { ClientCertificate } from '../core/exchange.ts'
import { oneLine } from './tls-identities.ts'

/** Remembers, once per connection, which certificate its client has proved to own. */
export function noteClientCertificate(socket: TLSSocket, certificate: X509Certificate): void {
  const { subject, subjectAltName, fingerprint256, validFrom, validTo } = certificate
  const noted: Noted = socket
  noted[key] = {
    subject: oneLine(subject),
    fingerprint: fingerprint256.replaceAll(':', '').toLowerCase(),
    alternativeNames: alternativeNames(subjectAltName),
    validFrom: Date.parse(validFrom),
    validTo: Date.parse(validTo),
  }
}

/**
 * The names in Node's text of the extension: `DNS:a.example, URI:spiffe://b`. A name that could be read as several, or as one of another kind,
 * stands there as a JSON string.
 */
export function alternativeNames(text = ''): readonly string[] {
  return [...text.matchAll(/(?:^|, )([^:,"]+):("(?:[^"\\]|\\.)*"|[^,"]*)(?=, |$)/g)].flatMap(
    ([, kind = '', value = '']) => {
      const name = kinds[kind]
      if (name === undefined) return []
      const read = value.startsWith('"') ? (JSON.parse(value) as string) : value
      return [`${name}:${name === 'dns' ? read.toLowerCase() : read}`]
    },
  )
}

const kinds: Readonly<Record<string, string>> = { DNS: 'dns', URI: 'uri', email: 'email', 'IP Address': 'ip' }

/** The certificate of the client at the other end; undefined when it showed none. Also of the socket that a request of HTTP/2 shows. */
export function clientCertificateOf(socket: Socket): ClientCertificate | undefined {
  return (socket as Noted)[key]
}

interface Noted extends Socket {
  [key]?: ClientCertificate
}

/** On the socket itself: requests of HTTP/2 have a proxy of it, which a map would not know. */
const key = Symbol('client certificate')
