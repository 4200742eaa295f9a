import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import { Provider } from 'oidc-provider'

/** A real OpenID provider (oidc-provider) on loopback, with one client for users and machines, and one for the gateway's questions. */
export interface OpenIdProvider {
  readonly issuer: string
  /** The name and password by which the gateway asks about tokens. */
  readonly gateway: { readonly clientId: string; readonly clientSecret: string }
  /** How often each path was asked for. */
  readonly asked: Map<string, number>
  /** A token of the client itself (RFC 6749 section 4.4). */
  clientToken(format: TokenFormat, scope?: string): Promise<string>
  /** A token of a user who has signed in, by a code and PKCE (RFC 7636); and the refresh token that came with it. */
  userToken(format: TokenFormat, user: string): Promise<{ readonly access: string; readonly refresh: string }>
  /** RFC 7009. */
  revoke(token: string): Promise<void>
  /** Signs with a new key from now on; the old one is published on, or withdrawn. */
  rotate(old: 'published' | 'withdrawn'): Promise<void>
  /** Stops answering, and goes on. */
  stop(): Promise<void>
  start(): Promise<void>
}

/** `jwt`: RFC 9068, for the audience `api`. */
export type TokenFormat = 'jwt' | 'opaque'

const client = { id: 'app', secret: 'the secret of the app', redirect: 'http://127.0.0.1:9/back' }
const gateway = { clientId: 'trivium:gateway', clientSecret: 'a +secret/ of the gateway%' }
const resources = { jwt: 'https://api.example/jwt', opaque: 'https://api.example/opaque' } as const

const lived = [
  'AccessToken',
  'ClientCredentials',
  'Grant',
  'IdToken',
  'Interaction',
  'RefreshToken',
  'Session',
]

export async function startOpenId(t: TestContext): Promise<OpenIdProvider> {
  const asked = new Map<string, number>()
  const store: Store = new Map()
  let answer: RequestListener = (_, res) => res.writeHead(503).end()
  const server = createServer((req, res) => {
    const { pathname } = new URL(req.url ?? '', 'http://x')
    asked.set(pathname, (asked.get(pathname) ?? 0) + 1)
    answer(req, res)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const issuer = `http://127.0.0.1:${port}`
  let keys: readonly JWK[] = [await signingKey()]
  answer = listenerOf(issuer, keys, store)
  const stop = async (): Promise<void> => {
    server.closeAllConnections()
    if (server.listening) await new Promise((resolve) => server.close(resolve))
  }
  t.after(stop)
  const post = async (
    path: string,
    form: Readonly<Record<string, string>>,
  ): Promise<Record<string, string>> => {
    const basic = Buffer.from(`${client.id}:${formText(client.secret)}`).toString('base64')
    const reply = await fetch(issuer + path, {
      method: 'POST',
      headers: { Authorization: `Basic ${basic}` },
      body: new URLSearchParams(form),
    })
    const text = await reply.text()
    if (reply.status !== 200) throw new Error(`${path} answered ${reply.status}: ${text}`)
    return text === '' ? {} : JSON.parse(text)
  }
  return {
    issuer,
    gateway,
    asked,
    clientToken: async (format, scope = 'read') => {
      const grant = { grant_type: 'client_credentials', resource: resources[format], scope }
      return (await post('/token', grant)).access_token ?? ''
    },
    userToken: async (format, user) => {
      const verifier = randomBytes(32).toString('base64url')
      const code = await signIn(issuer, { user, verifier, resource: resources[format] })
      const grant = { grant_type: 'authorization_code', code, code_verifier: verifier }
      const tokens = await post('/token', {
        ...grant,
        redirect_uri: client.redirect,
        resource: resources[format],
      })
      return { access: tokens.access_token ?? '', refresh: tokens.refresh_token ?? '' }
    },
    revoke: async (token) => {
      await post('/token/revocation', { token })
    },
    rotate: async (old) => {
      keys = [await signingKey(), ...(old === 'published' ? keys : [])]
      answer = listenerOf(issuer, keys, store)
    },
    stop,
    start: async () => {
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
    },
  }
}

async function signingKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  return { ...(await exportJWK(privateKey)), kid: randomBytes(8).toString('hex'), use: 'sig', alg: 'RS256' }
}

/** What a provider keeps: its tokens, sessions and the like, by kind and id. */
type Store = Map<string, Record<string, unknown>>

/** The interface that oidc-provider stores by; nothing expires during a test. */
function adapterOf(store: Store) {
  const byGrant = (id: string): string[] =>
    [...store].filter(([, { grantId }]) => grantId === id).map(([key]) => key)
  const byUid = (uid: string) => [...store.values()].find((kept) => kept.uid === uid)
  return (kind: string) => ({
    upsert: async (id: string, payload: Record<string, unknown>) => void store.set(`${kind}:${id}`, payload),
    find: async (id: string) => store.get(`${kind}:${id}`),
    findByUid: async (uid: string) => byUid(uid),
    findByUserCode: async () => undefined,
    consume: async (id: string) => {
      Object.assign(store.get(`${kind}:${id}`) ?? {}, { consumed: Math.floor(Date.now() / 1_000) })
    },
    destroy: async (id: string) => void store.delete(`${kind}:${id}`),
    revokeByGrantId: async (id: string) => {
      for (const key of byGrant(id)) store.delete(key)
    },
  })
}

function listenerOf(issuer: string, keys: readonly JWK[], store: Store): RequestListener {
  const provider = new Provider(issuer, {
    adapter: adapterOf(store),
    jwks: { keys },
    cookies: { keys: ['a key of cookies'] },
    clients: [
      {
        client_id: client.id,
        client_secret: client.secret,
        grant_types: ['client_credentials', 'authorization_code', 'refresh_token'],
        redirect_uris: [client.redirect],
        application_type: 'native',
      },
      {
        client_id: gateway.clientId,
        client_secret: gateway.clientSecret,
        grant_types: [],
        redirect_uris: [],
        response_types: [],
      },
    ],
    findAccount: (_: unknown, accountId: string) => ({ accountId, claims: () => ({ sub: accountId }) }),
    issueRefreshToken: () => true,
    // It warns of each one that is left out.
    ttl: Object.fromEntries(lived.map((kind) => [kind, 3_600])),
    extraTokenClaims: (_: unknown, { accountId }: { readonly accountId?: string }) =>
      accountId === undefined ? {} : { roles: ['reader'], name: `Dr. ${accountId}` },
    interactions: { url: (_: unknown, { uid }: { readonly uid: string }) => `/interaction/${uid}` },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true, allowedPolicy: () => true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (_: unknown, resource: string) => ({
          scope: 'read write',
          audience: 'api',
          accessTokenFormat: resource === resources.jwt ? 'jwt' : 'opaque',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  })
  const serve = provider.callback()
  return (req, res) => {
    if (req.url?.startsWith('/interaction/')) void agree(provider, req, res)
    else serve(req, res)
  }
}

/** The page on which a user would sign in and agree: here it is the login hint that does. */
async function agree(provider: Provider, ...[req, res]: Parameters<RequestListener>): Promise<void> {
  const { params } = await provider.interactionDetails(req, res)
  const { login_hint: accountId = '', client_id: clientId = '', resource = '' } = params
  const grant = new provider.Grant({ accountId, clientId })
  grant.addOIDCScope('openid offline_access')
  grant.addResourceScope(resource, 'read write')
  await provider.interactionFinished(req, res, {
    login: { accountId },
    consent: { grantId: await grant.save() },
  })
}

/** Follows a browser through the sign-in, cookies and all; the code that it comes back with. */
async function signIn(
  issuer: string,
  {
    user,
    verifier,
    resource,
  }: { readonly user: string; readonly verifier: string; readonly resource: string },
): Promise<string> {
  const query = new URLSearchParams({
    client_id: client.id,
    response_type: 'code',
    redirect_uri: client.redirect,
    scope: 'openid offline_access read write',
    prompt: 'consent',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    login_hint: user,
    resource,
  })
  const cookies = new Map<string, string>()
  let address = `${issuer}/auth?${query}`
  for (let hops = 0; hops < 8; hops++) {
    const headers = { Cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') }
    const reply = await fetch(address, { headers, redirect: 'manual' })
    for (const line of reply.headers.getSetCookie()) {
      const [pair = ''] = line.split(';')
      cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1))
    }
    const location = reply.headers.get('location')
    if (location === null) throw new Error(`${address} answered ${reply.status}: ${await reply.text()}`)
    address = new URL(location, issuer).href
    const code = new URL(address).searchParams.get('code')
    if (code !== null) return code
  }
  throw new Error(`the sign-in goes in circles: ${address}`)
}

function formText(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1)
}
