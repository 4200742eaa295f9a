import { randomBytes } from 'node:crypto'
import { type AdminScope, adminScopes } from '../config/admin-keys.ts'
import { createApiKey, hashApiKey, keyPrefix } from '../plugins/identity/api-key.ts'
import { askAdmin } from './admin-client.ts'
import type { CommandInput } from './command.ts'
import { printTable } from './table.ts'

/** A key as the admin API tells it. */
interface ToldKey {
  readonly id: string
  readonly consumer: string
  readonly name?: string
  readonly prefix?: string
  readonly state: string
  readonly expiresAt?: string
  readonly lastUsedAt?: string
  readonly source: string
  readonly key?: string
}

/** `gateway keys create CONSUMER`: has a running gateway make a key, and shows it once. With `--offline` the key is for the configuration. */
export async function createKey(input: CommandInput): Promise<number> {
  const [consumer = ''] = input.words
  const { name, env, expires, scope, role, offline } = input.values
  if (offline === true) return createForFile(input, consumer)
  const made = await askAdmin(input, {
    method: 'POST',
    path: '/keys',
    has: 'key',
    body: {
      consumer,
      name,
      env,
      expiresAt: expires,
      scopes: scope,
      roles: role,
    },
  })
  show(input, made as ToldKey)
  return 0
}

/** `gateway keys list [CONSUMER]`. */
export async function listKeys(input: CommandInput): Promise<number> {
  const [consumer] = input.words
  const keys: ToldKey[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const query = new URLSearchParams({ limit: '1000', ...(cursor !== '' && { cursor }) })
    if (consumer !== undefined) query.set('filter[consumer]', consumer)
    const page = await askAdmin(input, { method: 'GET', path: `/keys?${query}`, has: 'items' })
    const { items, next } = page as { items: ToldKey[]; next: string | null }
    keys.push(...items)
    cursor = next
  }
  if (input.json) console.log(JSON.stringify(keys, null, 2))
  else if (keys.length === 0) console.log('there are no keys')
  else
    printTable(
      keys.map(({ id, consumer, name = '', prefix = '', state, source, ...key }) => {
        const [expires, used] = [minute(key.expiresAt), minute(key.lastUsedAt)]
        return { id, consumer, name, prefix, state, expires, 'last used': used, source }
      }),
    )
  return 0
}

/** `gateway keys rotate ID`: another key in its place; the old one is accepted for `--overlap` more. */
export async function rotateKey(input: CommandInput): Promise<number> {
  const { overlap, expires } = input.values
  const path = `${keyPath(input)}:rotate`
  const made = await askAdmin(input, {
    method: 'POST',
    path,
    body: { overlap, expiresAt: expires },
    has: 'key',
  })
  show(input, made as ToldKey)
  return 0
}

/** `gateway keys revoke ID`: no gateway accepts it any more. */
export async function revokeKey(input: CommandInput): Promise<number> {
  const told = await askAdmin(input, {
    method: 'POST',
    path: `${keyPath(input)}:revoke`,
    body: {},
    has: 'id',
  })
  if (input.json) console.log(JSON.stringify(told, null, 2))
  else console.log(`${(told as ToldKey).id} of ${(told as ToldKey).consumer} is revoked`)
  return 0
}

/** `gateway admin token NAME`: a token for the admin API, and what belongs into the configuration. */
export async function createAdminToken(input: CommandInput): Promise<number> {
  const [name = ''] = input.words
  const { scope: scopes = ['read'] } = input.values
  const unknown = scopes.find((scope) => !adminScopes.includes(scope as AdminScope))
  if (unknown !== undefined)
    throw new Error(`there is no scope "${unknown}" in the admin API; there are ${adminScopes.join(', ')}`)
  const token = `gwa_${randomBytes(32).toString('hex')}`
  const hash = hashApiKey(token)
  if (input.json) console.log(JSON.stringify({ name, token, hash, scopes }))
  else
    console.log(
      `token (shown this once): ${token}\n\nadmin:\n  tokens:\n    - { name: ${name}, hash: "${hash}", scopes: [${scopes.join(', ')}] }`,
    )
  return 0
}

function createForFile(input: CommandInput, consumer: string): number {
  const key = createApiKey(input.values.env ?? 'live')
  const [hash, prefix] = [hashApiKey(key), keyPrefix(key)]
  if (input.json) console.log(JSON.stringify({ consumer, key, hash, prefix }))
  else
    console.log(
      `key (shown this once): ${key}\n\nconsumers:\n  - id: ${consumer}\n    keys:\n      - hash: ${hash}\n        prefix: ${prefix}`,
    )
  return 0
}

function keyPath({ words: [id = ''] }: CommandInput): string {
  return `/keys/${encodeURIComponent(id)}`
}

function show({ json }: CommandInput, made: ToldKey): void {
  if (json) console.log(JSON.stringify(made, null, 2))
  else
    console.log(
      `key (shown this once): ${made.key}\nid: ${made.id}${made.expiresAt === undefined ? '' : `\nexpires: ${made.expiresAt}`}`,
    )
}

/** `2030-01-01 00:00`, in UTC. */
function minute(time: string | undefined): string {
  return time === undefined ? '-' : time.slice(0, 16).replace('T', ' ')
}
