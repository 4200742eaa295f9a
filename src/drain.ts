import type { Listener } from './listener/listener.ts'
import type { GatewayServer } from './listener/server.ts'
import { quietMoment } from './quiet-moment.ts'

/** What the end of a gateway goes by; durations in milliseconds. */
export interface Draining {
  readonly listener: Listener
  readonly server: GatewayServer
  /** How long new requests are still taken, so that load balancers notice. */
  readonly drainDelay: number
  /** How long requests in flight get after that. */
  readonly gracePeriod: number
  /** Told when the ports are about to close. */
  onClosing(): void
}

/** Lets requests in flight end, and closes the ports. */
export async function drain({
  listener,
  server,
  drainDelay,
  gracePeriod,
  onClosing,
}: Draining): Promise<void> {
  // Requests that are under way were not told yet: after this answer their clients must not send another on the connection.
  for (const x of listener.active.all()) if (!x.committed) x.replyHeaders.push('Connection', 'close')
  server.drain()
  if (drainDelay > 0) await new Promise((resolve) => setTimeout(resolve, drainDelay))
  await quietMoment(500)
  onClosing()
  // Before the server's own: what it ends is no longer active, and an upgraded connection is none that it would end.
  const cut = setTimeout(() => {
    for (const x of listener.active.all()) x.upgrade?.socket.destroy()
  }, gracePeriod)
  await server.close(gracePeriod)
  clearTimeout(cut)
}
