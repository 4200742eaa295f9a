import { createHmac } from 'node:crypto'
import { readCookie } from './cookie.ts'

/** The cookie by which a client comes back to the target that it had. */
export interface StickyOptions {
  /** A token (RFC 6265 section 4.1.1). `__Host-` asks for `secure` and the path `/`, `__Secure-` for `secure`. */
  readonly name: string
  readonly path: string
  readonly secure: boolean
  readonly httpOnly: boolean
  /** `None` asks for `secure`. */
  readonly sameSite: 'Strict' | 'Lax' | 'None'
  /** Undefined: until the browser closes. */
  readonly maxAgeSeconds: number | undefined
  /** Key of the hash that stands for a target; the same for all gateways that share clients. */
  readonly secret: string
}

/** Reads and writes the sticky cookie of one upstream. */
export interface Sticky<T> {
  /**
   * The target that a `Cookie` header names; undefined when it names none that there is. Whether it is available is for the
   * caller to see; one that drains (weight 0) keeps the clients that it has.
   */
  target(cookieHeader: string | undefined): T | undefined
  /** The value of the `Set-Cookie` header that names a target of this upstream. */
  setCookie(target: T): string
}

/** Throws an Error that says which rule for cookies the options break. */
export function compileSticky<T extends { readonly url: string }>(
  targets: readonly T[],
  options: StickyOptions,
): Sticky<T> {
  check(options)
  const tail = attributes(options)
  const named = targets.map((target) => [stickyId(target.url, options.secret), target] as const)
  const byId = new Map(named)
  const cookies = new Map(named.map(([id, target]) => [target, `${options.name}=${id}${tail}`]))
  return {
    target(cookieHeader) {
      const id = readCookie(cookieHeader, options.name)
      return id === undefined ? undefined : byId.get(id)
    },
    setCookie(target) {
      return cookies.get(target) ?? `${options.name}=${stickyId(target.url, options.secret)}${tail}`
    },
  }
}

/**
 * What stands for a target: 64 bits of HMAC-SHA-256 over its URL, 11 characters. Stable over restarts. The secret is what keeps
 * the address from clients: private addresses are few enough to try them all against a hash that anyone can compute.
 */
export function stickyId(url: string, secret: string): string {
  return createHmac('sha256', secret).update(url).digest().subarray(0, 8).toString('base64url')
}

function attributes({ path, maxAgeSeconds, httpOnly, secure, sameSite }: StickyOptions): string {
  return [
    '',
    `Path=${path}`,
    ...(maxAgeSeconds === undefined ? [] : [`Max-Age=${maxAgeSeconds}`]),
    ...(httpOnly ? ['HttpOnly'] : []),
    ...(secure ? ['Secure'] : []),
    `SameSite=${sameSite}`,
  ].join('; ')
}

/** RFC 6265 section 4.1.1, and draft-ietf-httpbis-rfc6265bis for the prefixes and SameSite: browsers drop what breaks these. */
function check({ name, path, secure, sameSite, maxAgeSeconds }: StickyOptions): void {
  const problem = (text: string): Error => new Error(`sticky cookie "${name}": ${text}`)
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) throw problem('the name is not a token')
  if (!/^\/[\x20-\x3a\x3c-\x7e]*$/.test(path)) throw problem('the path must begin with "/" and hold no ";"')
  if (!secure && sameSite === 'None') throw problem('sameSite: None needs secure: true')
  if (!secure && /^__(Host|Secure)-/i.test(name)) throw problem('this prefix needs secure: true')
  if (path !== '/' && /^__Host-/i.test(name)) throw problem('the prefix __Host- needs path: /')
  if (maxAgeSeconds !== undefined && !(Number.isSafeInteger(maxAgeSeconds) && maxAgeSeconds > 0)) {
    throw problem('maxAge must be whole seconds above 0')
  }
}
