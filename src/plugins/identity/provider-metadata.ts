import { fetchJson, UnexpectedStatus } from './fetch-json.ts'

/** The endpoints that we ask a provider for (OpenID Connect Discovery 1.0 section 3, RFC 8414 section 2). */
export type ProviderEndpoint = 'jwks_uri' | 'introspection_endpoint'

const timeoutMs = 2_000
const maxBytes = 262_144
/** How long what a provider says of itself is believed before it is asked again. */
const maxAgeMs = 600_000

/** What an OpenID provider or OAuth server says of itself; asked for when it is needed, and again after ten minutes. */
export class ProviderMetadata {
  readonly #issuer: string
  readonly #now: () => number
  #known: Readonly<Record<string, unknown>> | undefined
  #knownAt = 0
  #asking: Promise<Readonly<Record<string, unknown>>> | undefined

  /** @param issuer one that {@link canDescribeItself}. */
  constructor(issuer: string, now: () => number) {
    this.#issuer = issuer
    this.#now = now
  }

  /** The address of an endpoint. Rejects with an Error when the provider cannot be asked and never could, or has none. */
  async endpoint(name: ProviderEndpoint): Promise<string> {
    const metadata = await this.#metadata()
    const address = metadata[name]
    if (typeof address !== 'string' || !URL.canParse(address))
      throw new Error(`the description of ${this.#issuer} has no ${name}`)
    const { protocol } = new URL(address)
    const isPlain = protocol === 'http:' && this.#issuer.startsWith('http:')
    if (protocol !== 'https:' && !isPlain)
      throw new Error(`the description of ${this.#issuer} has a ${name} that is not https`)
    return address
  }

  async #metadata(): Promise<Readonly<Record<string, unknown>>> {
    if (this.#known !== undefined && this.#now() - this.#knownAt < maxAgeMs) return this.#known
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined
    })
    try {
      return await this.#asking
    } catch (error) {
      if (this.#known === undefined) throw error
      return this.#known
    }
  }

  async #ask(): Promise<Readonly<Record<string, unknown>>> {
    const metadata = await this.#read()
    // Else one provider could speak for another (OpenID Connect Discovery 1.0 section 4.3, RFC 8414 section 3.3).
    if (metadata.issuer !== this.#issuer)
      throw new Error(`the description at ${this.#issuer} is that of another issuer`)
    this.#known = metadata
    this.#knownAt = this.#now()
    return metadata
  }

  /** Both standards name a place; the older one is tried first. */
  async #read(): Promise<Readonly<Record<string, unknown>>> {
    const [openId, oauth] = descriptionsOf(this.#issuer)
    try {
      return await fetchJson(openId, { timeoutMs, maxBytes })
    } catch (error) {
      if (!(error instanceof UnexpectedStatus && error.status === 404)) throw error
      return await fetchJson(oauth, { timeoutMs, maxBytes })
    }
  }
}

/** Whether an issuer's name is an address at which it can be asked about itself (RFC 8414 section 2). */
export function canDescribeItself(issuer: string): boolean {
  return /^https?:\/\/[^?#@\s]+$/.test(issuer) && URL.canParse(issuer)
}

/** OpenID Connect Discovery 1.0 section 4.1 appends to the path, RFC 8414 section 3.1 goes in front of it. */
function descriptionsOf(issuer: string): readonly [string, string] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  return [
    `${origin}${path}/.well-known/openid-configuration`,
    `${origin}/.well-known/oauth-authorization-server${path}`,
  ]
}
