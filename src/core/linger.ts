import type { Duplex } from 'node:stream'

/**
 * Makes a connection end as RFC 9112 section 9.6 has it: after the last answer only our side is closed, and what still comes is read and
 * dropped for up to two seconds. Closed at once, a client that is still sending would be reset before it has read the answer.
 */
export function lingerAtEnd(socket: Duplex & { destroySoon?: () => void }): void {
  socket.destroySoon = () => endSlowly(socket)
}

/** Ends a connection so, now. */
export function endSlowly(socket: Duplex, last?: string): void {
  socket.end(last)
  const timer = setTimeout(() => socket.destroy(), lingerMs).unref()
  socket.once('close', () => clearTimeout(timer))
}

const lingerMs = 2_000
