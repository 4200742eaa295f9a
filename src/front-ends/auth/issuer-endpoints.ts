import { hasDuplicateMembers } from '../../core/duplicate-members.ts'
import { GatewayError } from '../../core/error.ts'
import type { HttpExchange } from '../../core/http-exchange.ts'
import { isRecord } from '../../core/is-record.ts'
import type { Policy } from '../../core/route.ts'
import type { Grant, Issuer } from '../../issuer/issuer.ts'
import type { KeyRing } from '../../issuer/key-ring.ts'
import { readJsonText } from '../json-body.ts'
import type { AuthEndpoint } from './front-end.ts'

/** Where the gateway's own issuer is reached. */
export interface IssuerEndpointsOptions {
  readonly issuer: Issuer
  readonly keys: KeyRing
  readonly paths: Readonly<Record<'login' | 'refresh' | 'logout' | 'jwks', string>>
  /** Of login, refresh and logout. */
  readonly policy: Policy
  readonly jwksPolicy: Policy
  /** The access token of a request, from where tokens are accepted. */
  readToken(x: HttpExchange): string | undefined
}

/** The longest password, escaped in the longest way, with a name and all else. */
const maxBodyBytes = 8_192
/** In seconds: well below the time for which keys are published before they sign. */
const jwksMaxAge = 300

/** Login, refresh, logout and the key set, as clients of OAuth 2.0 name their parts (RFC 6749 section 5.1). */
export function issuerEndpoints(options: IssuerEndpointsOptions): readonly AuthEndpoint[] {
  const { issuer, keys, paths, policy, jwksPolicy } = options
  return [
    {
      id: 'auth-login',
      path: paths.login,
      methods: ['POST'],
      policy,
      origin: 'auth.issuer.paths.login',
      async serve(x) {
        const body = await members(x)
        const typed = { username: text(body, 'username'), password: text(body, 'password') }
        const asking = { address: x.request.clientAddress, signal: x.signal }
        answerGrant(x, await issuer.login(typed, asking))
      },
    },
    {
      id: 'auth-refresh',
      path: paths.refresh,
      methods: ['POST'],
      policy,
      origin: 'auth.issuer.paths.refresh',
      async serve(x) {
        const token = text(await members(x), 'refresh_token')
        answerGrant(x, await issuer.refresh(token, { address: x.request.clientAddress }))
      },
    },
    {
      id: 'auth-logout',
      path: paths.logout,
      methods: ['POST'],
      policy,
      origin: 'auth.issuer.paths.logout',
      async serve(x) {
        const body = x.hasBody ? await members(x) : {}
        const token = body.refresh_token === undefined ? undefined : text(body, 'refresh_token')
        await issuer.logout(token, options.readToken(x))
        x.answer(204, ['Cache-Control', 'no-store'], '')
      },
    },
    {
      id: 'auth-jwks',
      path: paths.jwks,
      methods: ['GET'],
      policy: jwksPolicy,
      origin: 'auth.issuer.paths.jwks',
      async serve(x) {
        const set = JSON.stringify({ keys: await keys.published() })
        const headers = ['Content-Type', 'application/json', 'Cache-Control', `public, max-age=${jwksMaxAge}`]
        x.answer(200, headers, set)
      },
    },
  ]
}

function answerGrant(x: HttpExchange, grant: Grant): void {
  const { accessToken, expiresInMs, refreshToken, scopes } = grant
  const body = {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: Math.floor(expiresInMs / 1_000),
    refresh_token: refreshToken,
    scope: scopes.join(' '),
  }
  const headers = ['Content-Type', 'application/json', 'Cache-Control', 'no-store', 'Pragma', 'no-cache']
  x.answer(200, headers, JSON.stringify(body))
}

/** The members of a body that is a JSON object, each once. What a body says is never quoted: it holds passwords. */
async function members(x: HttpExchange): Promise<Readonly<Record<string, unknown>>> {
  const json = await readJsonText(x, maxBodyBytes)
  let body: unknown
  try {
    body = JSON.parse(json)
  } catch {
    throw new GatewayError('INVALID_BODY', 'The body is no JSON.')
  }
  if (!isRecord(body)) throw new GatewayError('INVALID_BODY', 'The body is no JSON object.')
  if (hasDuplicateMembers(json))
    throw new GatewayError('INVALID_BODY', 'A member of the body stands there twice.')
  return body
}

function text(body: Readonly<Record<string, unknown>>, field: string): string {
  const value = Object.hasOwn(body, field) ? body[field] : undefined
  if (typeof value === 'string' && value !== '') return value
  throw new GatewayError('INVALID_ARGUMENT', `The body needs "${field}": a text.`, {
    violations: [{ field, detail: 'must be a text that is not empty' }],
  })
}
