import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createApiKey, hashApiKey } from '../src/plugins/identity/api-key.ts'
import { freePort } from '../test/services/free-port.ts'
import { type OwnNode, startOwnNode } from '../test/services/own-node.ts'
import { ownFolder } from '../test/services/own-process.ts'
import type { Contestant } from './contest.ts'

/** The key that every request of the benchmark carries. */
export const apiKey = createApiKey('bench')

/** What stands in every place of the gateway's configuration: an identity is required, and counted. */
export const guarded = {
  auth: 'required',
  plugins: [
    { rateLimit: { name: 'bench', limit: 60_000_000, window: '1m', by: 'consumer', store: 'memory' } },
  ],
}

/** The name by which the gateway stands in the tables. */
export const gatewayName = 'gateway'

/**
 * Starts the gateway as `gateway start` does, with all plugins on. `places` are the parts of the configuration that a contest is about:
 * upstreams and routes, `graphql` or `grpc`; `server` has keys beside `listen`. The caller is the demo's user 42.
 */
export async function startBenchGateway(places: object, server: object = {}): Promise<Contestant & OwnNode> {
  const port = await freePort()
  const folder = await ownFolder('bench-gateway')
  const file = join(folder, 'gateway.yaml')
  const config = {
    server: { listen: `127.0.0.1:${port}`, ...server },
    plugins: [
      'requestId',
      'accessLog',
      'metrics',
      { cors: { allowOrigins: ['http://localhost:3000'], allowCredentials: true } },
    ],
    consumers: [{ id: '42', name: 'Bench', roles: ['reader'], keys: [{ hash: hashApiKey(apiKey) }] }],
    ...places,
  }
  // JSON is YAML.
  await writeFile(file, JSON.stringify(config, undefined, 2))
  const args = ['start', '--config', file]
  const own = await startOwnNode({ file: 'src/main.ts', args, port, folder })
  return { name: gatewayName, ...own }
}
