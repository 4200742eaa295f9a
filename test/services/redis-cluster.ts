import { execFile } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort } from './free-port.ts'
import { ensureProgram } from './programs.ts'
import { type Redis, startRedis } from './redis.ts'

/** A Redis Cluster of our own: three masters without replicas, made by `redis-cli --cluster create`. */
export interface RedisCluster {
  readonly nodes: readonly Redis[]
  /** `127.0.0.1:port` of each. */
  readonly places: readonly string[]
  stop(): Promise<void>
}

/** Resolves when every node says that all slots are served. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const nodes: Redis[] = []
  const stop = async (): Promise<void> => {
    for (const node of nodes) await node.stop()
  }
  try {
    for (let i = 0; i < 3; i++) {
      const bus = await freePort()
      const own = ['--cluster-enabled', 'yes', '--cluster-port', `${bus}`, '--cluster-node-timeout', '2000']
      nodes.push(await startRedis({ args: own }))
    }
    const places = nodes.map(({ port }) => `127.0.0.1:${port}`)
    const client = await ensureProgram('redis-cli')
    await promisify(execFile)(client, ['--cluster', 'create', ...places, '--cluster-yes'])
    for (const { port } of nodes) {
      for (;;) {
        const { stdout } = await promisify(execFile)(client, ['-p', `${port}`, 'cluster', 'info'])
        if (stdout.includes('cluster_state:ok')) break
        await delay(50)
      }
    }
    return { nodes, places, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
