import { hash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'
import { type AdminConfig, type AdminScope, adminScopes } from '../config/admin-keys.ts'
import { plainAddress } from '../core/client-address.ts'
import { GatewayError } from '../core/error.ts'
import { FailedAttempts } from '../core/failed-attempts.ts'

/** Who uses the admin API, and what for. */
export interface Administrator {
  /** For the log: the name of the token, or `local`. */
  readonly name: string
  readonly scopes: readonly AdminScope[]
}

/** Decides who may use the admin API. Guessing is throttled by address, for right tokens too: there are few who have one. */
export class AdminAccess {
  readonly #tokens: () => AdminConfig['tokens']
  readonly #now: () => number
  readonly #failures = new FailedAttempts({ limit: 10, windowMs: 60_000 })

  /** @param tokens those of the running configuration. */
  constructor(tokens: () => AdminConfig['tokens'], now: () => number) {
    this.#tokens = tokens
    this.#now = now
  }

  /** Throws NO_CREDENTIALS, JWT_INVALID, TOO_MANY_ATTEMPTS, ADDRESS_REFUSED or CSRF_REFUSED. `address`: that of the client. */
  admit(req: IncomingMessage, address: string): Administrator {
    const tokens = this.#tokens()
    if (tokens.length === 0) {
      requireLocal(req)
      return local
    }
    const waitMs = this.#failures.waitMs(address, this.#now())
    if (waitMs > 0)
      throw new GatewayError('TOO_MANY_ATTEMPTS', 'Too many attempts failed from this address.', {
        retryAfterMs: waitMs,
      })
    const sent = /^bearer +([^ ,]+) *$/i.exec(req.headers.authorization ?? '')?.[1]
    if (sent === undefined)
      throw new GatewayError('NO_CREDENTIALS', 'A token of the admin API is required.', {
        headers: ['WWW-Authenticate', challenge],
      })
    const digest = hash('sha256', sent, 'buffer')
    // All are compared, so that the time does not tell which one it was.
    let found: Administrator | undefined
    for (const token of tokens) {
      const expected = Buffer.from(token.hash.slice('sha256:'.length), 'hex')
      if (timingSafeEqual(expected, digest)) found = token
    }
    if (found !== undefined) return found
    this.#failures.add(address, this.#now())
    throw new GatewayError('JWT_INVALID', 'The token is not one of the admin API.', {
      headers: ['WWW-Authenticate', `${challenge}, error="invalid_token"`],
    })
  }
}

const challenge = 'Bearer realm="trivium admin"'
const local: Administrator = { name: 'local', scopes: adminScopes }

/**
 * A connection from this machine may bring somebody else's request: a proxy's (it says so), or that of a page in a browser, under a
 * name that leads here (DNS rebinding: Host is that name) or from another site (Origin and Sec-Fetch-Site, Fetch standard).
 */
function requireLocal({ headers, socket }: IncomingMessage): void {
  const proxied = Object.keys(headers).find((name) => proxyHeader.test(name))
  const isLocal = isLoopback(socket.remoteAddress ?? '') && isLocalHost(headers.host ?? '')
  if (proxied !== undefined || !isLocal) {
    throw new GatewayError(
      'ADDRESS_REFUSED',
      'No token of the admin API is configured (admin.tokens): it answers to clients on its own machine only, without a proxy.',
    )
  }
  if (!isOfThisSite(headers))
    throw new GatewayError('CSRF_REFUSED', 'The admin API takes no requests from pages of other sites.')
}

const proxyHeader = /^(forwarded|via|x-forwarded-.*|x-real-ip|x-client-ip|true-client-ip|cf-connecting-ip)$/

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

function isLoopback(address: string): boolean {
  const plain = plainAddress(address)
  const family = isIP(plain)
  return family !== 0 && loopback.check(plain, family === 4 ? 'ipv4' : 'ipv6')
}

/** `localhost:8080`, `127.0.0.1`, `[::1]:8080` */
function isLocalHost(host: string): boolean {
  const bare = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
  return bare.toLowerCase() === 'localhost' || isLoopback(bare)
}

function isOfThisSite({ origin, host, 'sec-fetch-site': site }: IncomingHttpHeaders): boolean {
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false
  return origin === undefined || origin === `http://${host}` || origin === `https://${host}`
}
