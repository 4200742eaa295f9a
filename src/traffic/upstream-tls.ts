import { isIP } from 'node:net'

/** How an https target is verified, and who we are to it; certificates and keys in PEM. */
export interface UpstreamTls {
  /** The authorities to trust. Default: those that Node knows. */
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  /** The name that the certificate must be for. Default: the host of the URL. */
  readonly serverName?: string | undefined
  /** Takes any certificate. Default false. */
  readonly insecureSkipVerify?: boolean
}

/** The same in the words of Node's `tls.connect`, for a target. The name is always given: clients would take it from a Host header. */
export function tlsConnectOptions(url: string, tls: UpstreamTls = {}): TlsConnectOptions {
  const { ca, cert, key, insecureSkipVerify = false } = tls
  const host = new URL(url).hostname
  // An address is no server name (RFC 6066 section 3); the certificate is compared with it all the same.
  const named = isIP(host.replace(/^\[(.*)\]$/, '$1')) === 0 ? host : undefined
  const servername = tls.serverName ?? named
  return {
    rejectUnauthorized: !insecureSkipVerify,
    ...(servername === undefined ? {} : { servername }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  }
}

export interface TlsConnectOptions {
  readonly rejectUnauthorized: boolean
  readonly servername?: string
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}
