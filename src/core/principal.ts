/** A client certificate that was verified against `server.tls.clientCa`. */
export interface ClientCertificate {
  /** `CN=billing, O=Shop` */
  readonly subject: string
  /** SHA-256 of the certificate, in lower-case hexadecimal digits. */
  readonly fingerprint: string
  /** `dns:billing.internal` (lower case), `uri:spiffe://shop/billing`, `email:billing@shop.example`, `ip:10.0.0.7`. */
  readonly alternativeNames: readonly string[]
  /** From when until when it is good; Unix time in milliseconds. */
  readonly validFrom: number
  readonly validTo: number
}

/** Who the caller is, once a plugin has established it. */
export interface Principal {
  /** The subject of a token or the id of a consumer; without control characters. */
  readonly id: string
  /** The `iss` of the token, which alone makes its subject unique (RFC 7519 section 4.1.2); absent for API keys. */
  readonly issuer?: string
  readonly name?: string
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
  /** The configured consumer that the credentials belong to; absent for tokens of an outside issuer. */
  readonly consumer?: string
  /** What a verified token says; absent for API keys. */
  readonly claims?: Readonly<Record<string, unknown>>
  readonly via: 'apiKey' | 'jwt' | 'introspection' | 'certificate' | 'forwardAuth'
  /**
   * What tells this credential from others of the same kind and issuer, where something does: the id of a key, the `jti` of a token, the
   * SHA-256 of a certificate. Never the credential itself.
   */
  readonly credentialId?: string
  /** Of a token: by what it is revoked when nothing else tells it from others; see `tokenDigest`. */
  readonly tokenDigest?: string
  /** When the credential was issued, Unix time in milliseconds, where it says. */
  readonly issuedAt?: number
  /** From then on the credential is not accepted; Unix time in milliseconds. */
  readonly expiresAt?: number
}
