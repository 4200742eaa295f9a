import { GatewayError } from '../core/error.ts'
import type { HttpExchange } from '../core/http-exchange.ts'

/** A client must send so many bytes of its body per timeout, or the rest of it. */
const minimumBytes = 1_024

/**
 * Cuts off clients that trickle their bodies: one that sends less than 1,024 bytes within `timeoutMs` is refused with 408. A
 * client that waits because we do not read (a slow upstream) is not at fault. One timer for all; returns what stops it.
 */
export function watchSlowBodies(active: ReadonlySet<HttpExchange>, timeoutMs: number): () => void {
  const marks = new WeakMap<HttpExchange, { bytes: number; since: number }>()
  const timer = setInterval(
    () => {
      const now = performance.now()
      for (const x of active) {
        if (!x.hasBody || x.req.complete) continue
        const bytes = x.req.socket.bytesRead
        const mark = marks.get(x)
        const weDoNotRead = x.req.readableLength >= x.req.readableHighWaterMark
        if (mark === undefined || weDoNotRead || bytes - mark.bytes >= minimumBytes) {
          marks.set(x, { bytes, since: now })
        } else if (now - mark.since >= timeoutMs) {
          x.fail(
            new GatewayError(
              'CLIENT_TOO_SLOW',
              `Less than ${minimumBytes} bytes of the body came within ${timeoutMs} ms.`,
            ),
          )
          x.req.socket.destroySoon()
        }
      }
    },
    Math.min(1_000, timeoutMs),
  )
  timer.unref()
  return () => clearInterval(timer)
}
