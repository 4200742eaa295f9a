import { GatewayError } from '../../../../core/error.ts'
import { Exchange, type Hooks, type RequestHead } from '../../../../core/exchange.ts'
import type { HttpExchange } from '../../../../core/http-exchange.ts'
import type { Route } from '../../../../core/route.ts'

/** What an operation on a WebSocket goes through: that of the endpoint itself. */
export interface OperationPlan {
  readonly route: Route
  readonly hooks: Hooks
}

/**
 * One operation on a WebSocket as the request that it would be by itself: a POST with the headers of the handshake. It passes all that a
 * request passes (identity, limits, plugins), has a line in the log, and counts.
 */
export class SocketExchange extends Exchange {
  override readonly committed = false
  override readonly hasBody = true
  readonly #body: string
  #answered = 0

  /** `headers` are put over those of the handshake. */
  constructor(
    connection: HttpExchange,
    { route, hooks }: OperationPlan,
    { headers, body }: { readonly headers: Readonly<Record<string, string>>; readonly body: string },
  ) {
    super(requestOf(connection, headers, body), route, hooks)
    this.#body = body
    this.requestBytes = Buffer.byteLength(body)
  }

  override answer(status: number): void {
    this.#answered = status
  }

  override async body(): Promise<Buffer> {
    return Buffer.from(this.#body)
  }

  /** Rejects with the GatewayError of the hook that refuses it. */
  async admit(): Promise<void> {
    const { onRequest } = this.hooks
    for (let i = 0; i < onRequest.length; i++) {
      this.step = i
      const pending = onRequest[i]?.(this)
      if (pending !== undefined) await pending
      if (this.#answered !== 0)
        throw new GatewayError('REFUSED_BY_PLUGIN', 'A plugin answered instead.', { status: this.#answered })
      if (this.gone) throw new GatewayError('CLIENT_GONE', 'The client did not wait.')
    }
    this.step = onRequest.length
  }

  /** Told once, when it is over. */
  settle(): void {
    if (this.status === 0) this.status = this.error?.entry.status ?? 200
    const { onSettled } = this.hooks
    for (let i = 0; i < onSettled.length; i++) onSettled[i]?.(this)
  }
}

function requestOf(
  { request, req }: HttpExchange,
  headers: Readonly<Record<string, string>>,
  body: string,
): RequestHead {
  const kept = Object.entries(request.headers).filter(([name]) => !ofHandshake.test(name))
  const own = { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }
  return {
    ...request,
    method: 'POST',
    // As it came: a key in it was taken out of what is shown.
    query: req.url?.split('?', 2)[1] ?? '',
    headers: { ...Object.fromEntries(kept), ...headers, ...own },
    receivedAt: Date.now(),
    startedAt: performance.now(),
  }
}

/** What says something of the handshake alone; the id of a request is that of one request. */
const ofHandshake = /^(?:connection|upgrade|sec-websocket-.*|x-request-id|content-.*)$/
