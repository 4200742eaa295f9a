import { GatewayError } from '../../core/error.ts'
import type { Exchange } from '../../core/exchange.ts'
import type { UpstreamAnswer } from '../../pipeline/registry.ts'
import { survivesAsHeader } from '../identity/identity-headers.ts'
import { bearerChallenge } from '../identity/refusals.ts'
import type { ForwardAuthOptions } from './options.ts'

/** What the service let pass. */
export interface Verdict {
  /** Headers for backends, flat. */
  readonly headers: readonly string[]
  /** The id of the user, where the service says so. */
  readonly user: string | undefined
}

/** Reads a 2xx answer. Throws an Error for a user who cannot be one. */
export function verdictOf(
  { headers }: UpstreamAnswer,
  { responseHeaders, user }: Pick<ForwardAuthOptions, 'responseHeaders' | 'user'>,
): Verdict {
  const copied = responseHeaders.flatMap((name) => valuesOf(headers[name]).flatMap((value) => [name, value]))
  if (user === undefined) return { headers: copied, user: undefined }
  const [id = ''] = valuesOf(headers[user])
  if (!survivesAsHeader(id)) throw new Error(`its answer has no user in "${user}"`)
  return { headers: copied, user: id }
}

/** Whether an answer may serve for another request (RFC 9111 section 5.2.2). */
export function mayBeKept({ headers }: UpstreamAnswer): boolean {
  return !/\b(?:no-store|no-cache|private)\b/i.test(valuesOf(headers['cache-control']).join())
}

/**
 * Refuses, as the service did: 401 with its challenge, 429 with its Retry-After, a redirect for clients of REST, 403 for all else. Returns when
 * the exchange is answered; throws the refusal where the front-end has words of its own.
 */
export function refuse(x: Exchange, { status, headers }: UpstreamAnswer): void {
  const [location] = valuesOf(headers.location)
  if (redirects.has(status) && location !== undefined) {
    if (x.route.protocol !== 'rest') throw credentialsWanted([])
    const cookies = valuesOf(headers['set-cookie']).flatMap((cookie) => ['Set-Cookie', cookie])
    x.answer(status, ['Location', location, ...cookies, 'Cache-Control', 'no-store'], '')
    return
  }
  if (status === 401) throw credentialsWanted(valuesOf(headers['www-authenticate']))
  if (status === 429) {
    const seconds = Number(headers['retry-after'])
    const retryAfterMs = Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : 1_000
    throw new GatewayError('RATE_LIMITED', 'There are too many requests.', { retryAfterMs })
  }
  throw new GatewayError('POLICY_REFUSED', 'This is not allowed.')
}

/** RFC 9110 section 15.5.2: a 401 has a challenge. */
function credentialsWanted(challenges: readonly string[]): GatewayError {
  const asked = challenges.length === 0 ? [bearerChallenge] : challenges
  return new GatewayError('NO_CREDENTIALS', 'Credentials are required.', {
    headers: asked.flatMap((challenge) => ['WWW-Authenticate', challenge]),
  })
}

function valuesOf(value: string | string[] | undefined): string[] {
  return value === undefined ? [] : [value].flat()
}

const redirects = new Set([301, 302, 303, 307, 308])
