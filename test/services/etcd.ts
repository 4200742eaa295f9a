import { writeFile } from 'node:fs/promises'
import { freePort } from './free-port.ts'
import { ownFolder, startOwnProcess } from './own-process.ts'
import { ensureProgram } from './programs.ts'

/** An etcd of our own, a cluster of one member. */
export interface Etcd {
  /** `http://127.0.0.1:port`, without a slash at the end. */
  readonly url: string
  readonly port: number
  /** SIGKILL, and waits until it is gone; `startEtcd({port, data})` then starts it again. */
  kill(): Promise<void>
  /** SIGSTOP: it accepts connections from now on, but answers nothing. */
  pause(): void
  /** SIGCONT */
  resume(): void
  /** Asks its JSON API: `/v3/kv/put` and so on. Keys and values are in base64. Throws what etcd answers but 200. */
  call(path: string, body: object): Promise<Record<string, unknown>>
  /** Puts a key, bound to a lease if one is given. */
  put(key: string, value: string, lease?: string): Promise<void>
  delete(key: string): Promise<void>
}

/**
 * Resolves when it has elected itself; with `tls`, when it accepts connections. `port` is a free one by default. `data`: the folder of what it stores, from {@link ownFolder} and for the
 * caller to remove; by default it begins empty, and what it stores is gone with it.
 */
export async function startEtcd(
  options: { readonly port?: number; readonly data?: string; readonly tls?: EtcdTls } = {},
): Promise<Etcd> {
  const program = await ensureProgram('etcd')
  const port = options.port ?? (await freePort())
  const folder = await ownFolder('etcd')
  const { tls } = options
  const client = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`
  const peer = `http://127.0.0.1:${await freePort()}`
  const args = [
    ...['--data-dir', options.data ?? `${folder}/data`, '--logger', 'zap', '--log-level', 'error'],
    ...['--listen-client-urls', client, '--advertise-client-urls', client],
    ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
    ...['--initial-cluster', `default=${peer}`, '--heartbeat-interval', '20', '--election-timeout', '200'],
  ]
  if (tls !== undefined) args.push(...(await tlsArgs(tls, folder)))
  const greeting = tls === undefined ? health : undefined
  const etcd = await startOwnProcess({ program, args, folder, port, ...(greeting && { greeting }) })
  const call = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const reply = await fetch(`${client}${path}`, { method: 'POST', body: JSON.stringify(body) })
    if (reply.status !== 200) throw new Error(`etcd answered ${path} with ${await reply.text()}`)
    return (await reply.json()) as Record<string, unknown>
  }
  return {
    url: client,
    port,
    kill: etcd.kill,
    pause: () => etcd.signal('SIGSTOP'),
    resume: () => etcd.signal('SIGCONT'),
    call,
    async put(key, value, lease = '0') {
      await call('/v3/kv/put', { key: base64(key), value: base64(value), lease })
    },
    async delete(key) {
      await call('/v3/kv/deleterange', { key: base64(key) })
    },
  }
}

const health = { send: 'GET /health HTTP/1.1\r\nHost: etcd\r\n\r\n', expect: 'HTTP/1.1 200' }

/** What an etcd that speaks TLS shows, and of whom its clients' certificates must be. */
export interface EtcdTls {
  readonly cert: string
  readonly key: string
  readonly clientCa: string
}

async function tlsArgs(tls: EtcdTls, folder: string): Promise<readonly string[]> {
  const files = { cert: 'cert.pem', key: 'key.pem', clientCa: 'ca.pem' } as const
  for (const [part, name] of Object.entries(files))
    await writeFile(`${folder}/${name}`, tls[part as keyof EtcdTls])
  const own = ['--cert-file', `${folder}/cert.pem`, '--key-file', `${folder}/key.pem`]
  return [...own, '--client-cert-auth', '--trusted-ca-file', `${folder}/ca.pem`]
}

/** As etcd's API takes keys and values. */
export function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
