import { randomBytes, scryptSync } from 'node:crypto'
import { decodeJwt } from 'jose'

export const issuerName = 'https://gateway.example'

/** Of the weakest sort that is accepted, made without the gateway's own code. */
export function cheapHash(password: string): string {
  const salt = randomBytes(16)
  const digest = scryptSync(password, salt, 32, { N: 2 ** 14, r: 8, p: 1 })
  const unpadded = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '')
  return `$scrypt$ln=14,r=8,p=1$${unpadded(salt)}$${unpadded(digest)}`
}

export const passwords = {
  ann: 'correct horse battery staple',
  bob: 'Bobs 2nd pässword',
  eve: 'eve is disabled',
}
const hashes = { ann: cheapHash(passwords.ann), bob: cheapHash(passwords.bob), eve: cheapHash(passwords.eve) }

export const users = [
  {
    name: 'ann',
    id: 'user-1',
    displayName: 'Ann Example',
    passwordHash: hashes.ann,
    roles: ['admin'],
    scopes: ['read', 'write'],
  },
  { name: 'bob', passwordHash: hashes.bob },
  { name: 'eve', passwordHash: hashes.eve, disabled: true },
]

/** `auth.issuer` for a test. */
export function issuerConfig(changes: object = {}): object {
  return { issuer: issuerName, audience: 'api', users, ...changes }
}

export interface GrantBody {
  readonly access_token: string
  readonly token_type: string
  readonly expires_in: number
  readonly refresh_token: string
  readonly scope: string
}

/** POSTs JSON. */
export function post(
  url: string,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(url + path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

/** Logs in; throws with the answer when that is refused. */
export async function logIn(url: string, username: keyof typeof passwords = 'ann'): Promise<GrantBody> {
  return granted(await post(url, '/auth/login', { username, password: passwords[username] }))
}

export function refresh(url: string, refreshToken: string): Promise<Response> {
  return post(url, '/auth/refresh', { refresh_token: refreshToken })
}

export async function granted(reply: Response): Promise<GrantBody> {
  const text = await reply.text()
  if (reply.status !== 200) throw new Error(`${reply.status} ${text}`)
  return JSON.parse(text) as GrantBody
}

export async function reasonOf(reply: Response): Promise<string> {
  return ((await reply.json()) as { reason: string }).reason
}

export function bearer(token: string): { Authorization: string } {
  return { Authorization: `Bearer ${token}` }
}

export function sessionId(token: string): string {
  return String(decodeJwt(token).sid)
}
