import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis as Client } from 'ioredis'
import { freePort } from './free-port.ts'
import { ownFolder, startOwnProcess } from './own-process.ts'
import { ensureProgram } from './programs.ts'
import { type Redis, startRedis } from './redis.ts'

/** A master with a replica, and a sentinel that makes the replica master when the master is gone for half a second. */
export interface RedisSentinel {
  readonly master: Redis
  readonly replica: Redis
  /** What the sentinel calls the master. */
  readonly name: string
  /** `127.0.0.1:port` of the sentinel. */
  readonly place: string
  stop(): Promise<void>
}

/** Resolves when the sentinel knows of a replica that is in step: one that it has not heard of yet would never be made master. */
export async function startRedisSentinel(): Promise<RedisSentinel> {
  const ends: (() => Promise<void>)[] = []
  const stop = async (): Promise<void> => {
    for (const end of ends.reverse()) await end()
  }
  try {
    const master = await startRedis()
    ends.push(master.stop)
    const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', `${master.port}`] })
    ends.push(replica.stop)
    const port = await freePort()
    const folder = await ownFolder('sentinel')
    const file = join(folder, 'sentinel.conf')
    const name = 'gateways'
    // It writes what it learns into this file.
    await writeFile(
      file,
      `bind 127.0.0.1
port ${port}
sentinel monitor ${name} 127.0.0.1 ${master.port} 1
sentinel down-after-milliseconds ${name} 500
sentinel failover-timeout ${name} 5000
`,
    )
    const program = await ensureProgram('redis-server')
    const args = [file, '--sentinel']
    const greeting = { send: 'PING\r\n', expect: '+PONG' }
    const sentinel = await startOwnProcess({ program, args, folder, port, greeting })
    ends.push(sentinel.kill)
    await untilKnown(port, name)
    return { master, replica, name, place: `127.0.0.1:${port}`, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function untilKnown(port: number, name: string): Promise<void> {
  const client = new Client(port)
  try {
    for (;;) {
      const replicas = (await client.call('SENTINEL', 'REPLICAS', name)) as string[][]
      const [fields = []] = replicas
      const link = fields.indexOf('master-link-status')
      if (link !== -1 && fields[link + 1] === 'ok') return
      await delay(50)
    }
  } finally {
    client.disconnect()
  }
}
