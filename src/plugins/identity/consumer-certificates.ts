import type { ClientCertificate, Exchange, Principal } from '../../core/exchange.ts'
import type { Authenticator } from './authenticator.ts'
import type { CertificateMatch, Consumer } from './consumer.ts'
import { survivesAsHeader } from './identity-headers.ts'

type Identified = Omit<Principal, 'credentialId' | 'issuedAt' | 'expiresAt'>

/** Who the client certificates belong to that the connection has verified; one that belongs to nobody says nothing of its client. */
export class ConsumerCertificates implements Authenticator {
  /** By what a certificate says of itself, as {@link claimsOf} spells it. */
  readonly #byClaim = new Map<string, Identified>()
  readonly #found = new WeakMap<ClientCertificate, Principal>()
  readonly #now: () => number

  /** Throws an Error that names the place when two consumers have the same certificate, or one cannot be told to backends. */
  constructor(consumers: readonly Consumer[], now: () => number) {
    this.#now = now
    for (const { id, name, roles, scopes, certificates = [] } of consumers) {
      const who = { id, ...(name === undefined ? {} : { name }), roles, scopes, consumer: id }
      certificates.forEach((match, i) => {
        const place = `consumers "${id}" certificates[${i}]`
        const wrong = [id, ...roles, ...scopes].find((text) => !survivesAsHeader(text))
        if (wrong !== undefined) throw new Error(`${place}: "${wrong}" cannot be passed on as a header`)
        const claim = claimOf(match)
        if (this.#byClaim.has(claim)) throw new Error(`${place}: another consumer or entry has the same`)
        this.#byClaim.set(claim, { ...who, via: 'certificate' })
      })
    }
  }

  /** Whether no certificate belongs to anybody. */
  get isEmpty(): boolean {
    return this.#byClaim.size === 0
  }

  authenticate({ request: { clientCertificate } }: Exchange): Principal | undefined {
    if (clientCertificate === undefined) return undefined
    const found = this.#found.get(clientCertificate) ?? this.#find(clientCertificate)
    // A connection may outlive the certificate that it was made with.
    return found !== undefined && this.#now() < (found.expiresAt ?? 0) ? found : undefined
  }

  #find(certificate: ClientCertificate): Principal | undefined {
    const claim = claimsOf(certificate).find((one) => this.#byClaim.has(one))
    const who = claim === undefined ? undefined : this.#byClaim.get(claim)
    if (who === undefined) return undefined
    const { fingerprint, validFrom, validTo } = certificate
    const principal = { ...who, credentialId: fingerprint, issuedAt: validFrom, expiresAt: validTo }
    this.#found.set(certificate, principal)
    return principal
  }
}

/** What is the most exact first: one certificate, one name of it, its subject. */
function claimsOf({ fingerprint, alternativeNames, subject }: ClientCertificate): readonly string[] {
  return [
    `fingerprint ${fingerprint}`,
    ...alternativeNames.map((name) => `san ${name}`),
    `subject ${subject}`,
  ]
}

function claimOf(match: CertificateMatch): string {
  if ('fingerprint' in match) return `fingerprint ${match.fingerprint.replaceAll(':', '').toLowerCase()}`
  if ('subject' in match) return `subject ${match.subject}`
  const [, kind = '', value = ''] = /^(\w+):(.*)$/s.exec(match.san) ?? []
  return `san ${kind.toLowerCase()}:${kind.toLowerCase() === 'dns' ? value.toLowerCase() : value}`
}
