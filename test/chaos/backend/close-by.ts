import type { Socket } from 'node:net'

/** Closes a connection in one of the two ways that TCP has. */
export function closeBy(how: 'FIN' | 'RST', socket: Socket): void {
  if (how === 'RST') socket.resetAndDestroy()
  else socket.destroy()
}
