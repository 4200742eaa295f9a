import type { HttpExchange } from '../../core/http-exchange.ts'

/**
 * Adds the challenge that a 401 must have (RFC 9110 section 15.5.2) where a backend's UNAUTHENTICATED becomes one and brought none. `headers`
 * is flat. It is the service that asks, and not the gateway.
 */
export function addChallenge(x: HttpExchange, status: number, headers: string[]): void {
  if (status !== 401) return
  if (headers.some((text, i) => i % 2 === 0 && text.toLowerCase() === 'www-authenticate')) return
  const realm = x.route.id.split('/', 1)[0]
  headers.push('WWW-Authenticate', `Bearer realm="${realm}"`)
}
