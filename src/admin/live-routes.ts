import { type AdminEvent, type AdminRoute, adminRoute } from './admin-route.ts'
import type { LiveSample } from './live-sample.ts'
import { Places } from './places.ts'

export interface LiveRoutesOptions {
  /** A sample a second until `signal` aborts. */
  listen(signal: AbortSignal): AsyncIterable<LiveSample>
}

/** Streams at a time. */
const maxListeners = 16

/** `/live`: how the gateway is doing, once a second. */
export function liveRoutes({ listen }: LiveRoutesOptions): AdminRoute[] {
  const places = new Places(maxListeners)
  return [
    adminRoute({
      method: 'GET',
      path: '/live',
      scope: 'read',
      summary: 'Watch how this gateway is doing',
      description:
        'Server-sent events `sample`, one a second: requests and their times by protocol and route, upstreams, circuits, canaries, the process. Who reads too slowly misses some.',
      serve({ signal }) {
        places.hold(signal)
        return { stream: events(listen(signal)) }
      },
    }),
  ]
}

async function* events(samples: AsyncIterable<LiveSample>): AsyncGenerator<AdminEvent> {
  for await (const data of samples) yield { event: 'sample', data }
}
