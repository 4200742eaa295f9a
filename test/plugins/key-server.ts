import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { JWK } from 'jose'

/** An issuer's key set on loopback whose answers a test chooses. */
export interface KeyServer {
  readonly uri: string
  fetches: number
  keys: JWK[]
  /** `hang` accepts and never answers, `fail` answers 500, `junk` answers 200 with something else. */
  mood: 'serve' | 'hang' | 'fail' | 'junk'
  close(): Promise<void>
}

export async function startKeyServer(keys: JWK[]): Promise<KeyServer> {
  const server = createServer((_, res) => {
    state.fetches++
    if (state.mood === 'hang') return
    res.statusCode = state.mood === 'fail' ? 500 : 200
    res.end(state.mood === 'junk' ? '<html>' : JSON.stringify({ keys: state.keys }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const state: KeyServer = {
    uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`,
    fetches: 0,
    keys,
    mood: 'serve',
    async close() {
      server.closeAllConnections()
      server.close()
    },
  }
  return state
}
