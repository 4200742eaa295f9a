import { once } from 'node:events'
import { createServer } from 'node:net'

const first = 20_000
const count = 10_000
let next = Math.floor(Math.random() * count)

/**
 * A port on which nothing listens on 127.0.0.1, between 20000 and 29999, and each time another one. Below
 * the ports that outgoing connections use, so that none of them takes it while its server is down, nor can a
 * client that connects again and again meet itself there.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < count; tries++) {
    const port = first + (next++ % count)
    if (await isFree(port)) return port
  }
  throw new Error(`no free port between ${first} and ${first + count - 1}`)
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return true
  } catch {
    return false
  } finally {
    server.close()
  }
}
