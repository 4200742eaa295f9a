import { createPrivateKey, X509Certificate } from 'node:crypto'
import {
  createSecureContext,
  type SecureContext,
  type SecureContextOptions,
  type SecureVersion,
} from 'node:tls'
import { messageOf } from '../core/message-of.ts'

/** A certificate with its key, both in PEM, and the names that it is shown for. */
export interface CertificatePair {
  /** Server names in lower case: `shop.example`, or `*.example` for every name one label below. Empty: shown where no other fits. */
  readonly hosts: readonly string[]
  /** The certificate, then those of the authorities between it and the root. */
  readonly cert: string
  readonly key: string
}

export interface TlsIdentitiesOptions {
  /** The first is shown to clients that name no server, or one that there is no certificate for. */
  readonly pairs: readonly [CertificatePair, ...CertificatePair[]]
  readonly minVersion: SecureVersion
  /** The authorities of client certificates, in PEM. */
  readonly clientCa: string | undefined
}

/** When a certificate ends; Unix time in milliseconds. */
export interface CertificateExpiry {
  /** The first of its server names, or `default`. */
  readonly name: string
  readonly expiresAt: number
}

/** Who the gateway is to clients, by the server name that they ask for (SNI, RFC 6066 section 3). Throws when a pair cannot be used. */
export class TlsIdentities {
  /** What a TLS server is made with, or given later in place of what it has. */
  readonly serverOptions: SecureContextOptions
  readonly expiries: readonly CertificateExpiry[]
  readonly #contexts = new Map<string, SecureContext>()

  constructor({ pairs, minVersion, clientCa }: TlsIdentitiesOptions) {
    const shared = { minVersion, ...(clientCa === undefined ? {} : { ca: clientCa }) }
    this.serverOptions = { ...shared, cert: pairs[0].cert, key: pairs[0].key }
    for (const { hosts, cert, key } of pairs) {
      const context = createSecureContext({ ...shared, cert, key })
      for (const host of hosts) this.#contexts.set(host, context)
    }
    this.expiries = pairs.map(({ hosts, cert }) => ({
      name: hosts[0] ?? 'default',
      expiresAt: Date.parse(new X509Certificate(cert).validTo),
    }))
  }

  /** Undefined: that of {@link serverOptions}. A name stands before the wildcard that covers it. */
  contextFor(serverName: string): SecureContext | undefined {
    const name = serverName.toLowerCase()
    return this.#contexts.get(name) ?? this.#contexts.get(`*${name.slice(name.indexOf('.'))}`)
  }
}

/** What is wrong with a certificate and its key, and with which of the two; undefined: they belong together. */
export function mistakeOfPair(
  cert: string,
  key: string,
): { readonly of: 'cert' | 'key'; readonly message: string } | undefined {
  const certificate = readOr(() => new X509Certificate(cert))
  if (certificate === undefined) return { of: 'cert', message: 'is no certificate in PEM' }
  const secret = readOr(() => createPrivateKey(key))
  if (secret === undefined)
    return {
      of: 'key',
      message: 'is no private key in PEM, or one with a passphrase, which is not supported',
    }
  if (!certificate.checkPrivateKey(secret))
    return { of: 'key', message: `does not belong to the certificate of ${oneLine(certificate.subject)}` }
  try {
    createSecureContext({ cert, key })
    return undefined
  } catch (error) {
    return {
      of: 'cert',
      message: `cannot be used: ${messageOf(error)}`,
    }
  }
}

/** What is wrong with the certificates of authorities in PEM; undefined: nothing. */
export function mistakeOfAuthorities(pem: string): string | undefined {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs) ?? []
  if (blocks.length === 0) return 'holds no certificate in PEM'
  const unread = blocks.findIndex((block) => readOr(() => new X509Certificate(block)) === undefined)
  return unread === -1 ? undefined : `holds a certificate that cannot be read, number ${unread + 1} in it`
}

/** A distinguished name as one line: `CN=shop.example, O=Shop`. */
export function oneLine(name: string): string {
  return name.split('\n').reverse().join(', ')
}

/** OpenSSL's own words for what it cannot read (`PEM routines::no start line`) help nobody. */
function readOr<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
