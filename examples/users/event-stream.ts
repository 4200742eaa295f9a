import type { ServerResponse } from 'node:http'

const intervalMs = 250

/** The server-sent event streams that are open, so that they can be ended together. */
export class EventStreams {
  readonly #open = new Set<ServerResponse>()

  /** Sends `{"n","at"}` at once and then every 250 ms, `count` times or until the client goes. */
  start(response: ServerResponse, count: number): undefined {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    let n = 0
    const next = (): void => {
      n += 1
      response.write(`data: ${JSON.stringify({ n, at: new Date().toISOString() })}\n\n`)
      if (n >= count) response.end()
    }
    const timer = setInterval(next, intervalMs)
    this.#open.add(response)
    response.once('close', () => {
      clearInterval(timer)
      this.#open.delete(response)
    })
    next()
  }

  /** Ends every open stream between two events. */
  endAll(): void {
    for (const response of this.#open) response.end()
  }
}
