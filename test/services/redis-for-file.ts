import { after } from 'node:test'
import { Redis as Client } from 'ioredis'
import { type Redis, startRedis } from './redis.ts'

/** A Redis for all tests of a file, and a client to it; both end with the tests. To be called where the file begins. */
export async function redisForFile(): Promise<{ readonly server: Redis; readonly client: Client }> {
  const server = await startRedis()
  const client = new Client(server.url)
  after(async () => {
    client.disconnect()
    await server.stop()
  })
  return { server, client }
}
