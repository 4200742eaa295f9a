import { subscribe, unsubscribe } from 'node:diagnostics_channel'

/** A turn of the event loop that takes longer has done something, and others may have connected meanwhile. */
const shortTurnMs = 0.2

/**
 * Resolves when a short turn of the event loop has accepted no connection, so that hardly any waits to be: the kernel resets those
 * that do when the port is closed. Under a load that never pauses it resolves after `patienceMs`.
 */
export async function quietMoment(patienceMs: number): Promise<void> {
  const until = performance.now() + patienceMs
  let accepted = 0
  const count = (): void => {
    accepted++
  }
  subscribe('net.server.socket', count)
  let now = performance.now()
  for (;;) {
    accepted = 0
    const before = now
    await new Promise((resolve) => setImmediate(resolve))
    now = performance.now()
    if ((accepted === 0 && now - before < shortTurnMs) || now > until) break
  }
  unsubscribe('net.server.socket', count)
}
