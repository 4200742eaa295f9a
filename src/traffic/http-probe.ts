import { request } from 'undici'
import type { Probe } from './health-check.ts'

/** Asks with GET at `path`; any 2xx is healthy. */
export function httpProbe({ path, timeoutMs }: { readonly path: string; readonly timeoutMs: number }): Probe {
  return {
    async probe(endpoint) {
      try {
        const reply = await request(`${endpoint.url}${path}`, {
          dispatcher: endpoint.pool,
          signal: AbortSignal.timeout(timeoutMs),
          headers: { 'user-agent': 'trivium-health-check' },
        })
        await reply.body.dump()
        return reply.statusCode >= 200 && reply.statusCode < 300
          ? undefined
          : `probe was answered ${reply.statusCode}`
      } catch (error) {
        return `probe failed: ${error instanceof Error ? error.message || error.name : String(error)}`
      }
    },
    // The connections are the endpoint's.
    close: () => {},
  }
}
