import type { ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import { GatewayError } from '../core/error.ts'
import type { HttpExchange } from '../core/http-exchange.ts'
import type { ActiveExchanges } from './active-exchanges.ts'

/** A client must send, or take, so many bytes per timeout; or the rest. */
const minimumBytes = 1_024

/**
 * Cuts off clients that hold an exchange open by going slowly: one that sends less than 1,024 bytes of its body within `timeoutMs` is
 * refused with 408, one that takes less of its answer loses the connection, and the upstream is let go. A client that waits because we
 * do not read or have nothing to send (a slow upstream, an idle event stream), or that talks with its upstream, is not at fault. One timer for all; returns what stops it.
 */
export function watchSlowClients(active: ActiveExchanges, timeoutMs: number): () => void {
  const marks = new WeakMap<HttpExchange, Mark>()
  const look = (): void => {
    const now = performance.now()
    for (const x of active.all()) {
      const bytes = bytesOwed(x)
      const mark = marks.get(x)
      if (bytes === undefined) {
        if (mark !== undefined) marks.delete(x)
      } else if (mark === undefined || bytes - mark.bytes >= minimumBytes) {
        marks.set(x, { bytes, since: now })
      } else if (now - mark.since >= timeoutMs) {
        cut(x, timeoutMs)
      }
    }
  }
  const timer = setInterval(look, Math.min(1_000, timeoutMs))
  timer.unref()
  return () => clearInterval(timer)
}

interface Mark {
  readonly bytes: number
  readonly since: number
}

/** Bytes that the connection has moved, while it is the client who has to move it on; undefined while it is not. */
function bytesOwed(x: HttpExchange): number | undefined {
  const { req } = x
  const sends = x.hasBody && !x.mayPause && !req.complete && req.readableLength < req.readableHighWaterMark
  const takes = x.committed && x.upgrade === undefined && hasToTake(x)
  if (!sends && !takes) return undefined
  // Streams share a connection: what this one has sent is what was read of it.
  if (x.http2 && sends) return x.requestBytes + req.readableLength
  // What waits to be sent counts as written already.
  const { bytesRead, bytesWritten, writableLength } = connectionOf(x)
  return bytesRead + bytesWritten - writableLength
}

/** Whether there is something of the answer that waits for the client; one that stands behind others of its connection waits for them. */
function hasToTake({ http2, res }: HttpExchange): boolean {
  if (!http2 && res.socket === null) return false
  return res.writableNeedDrain || (res.writableEnded && !res.writableFinished)
}

/** The answer of a stream of HTTP/2 goes no slower than its connection. */
function connectionOf({ http2, req }: HttpExchange): Socket {
  const { stream } = req as unknown as { readonly stream: ServerHttp2Stream }
  return (http2 ? stream.session?.socket : undefined) ?? req.socket
}

function cut(x: HttpExchange, timeoutMs: number): void {
  const what = x.committed ? 'of the answer were taken' : 'of the body came'
  x.fail(
    new GatewayError('CLIENT_TOO_SLOW', `Less than ${minimumBytes} bytes ${what} within ${timeoutMs} ms.`),
  )
  if (x.http2) x.res.destroy()
  else x.req.socket.destroySoon()
}
