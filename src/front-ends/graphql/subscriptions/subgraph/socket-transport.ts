import { type RawData, WebSocket } from 'ws'
import type { GatewayError } from '../../../../core/error.ts'
import { isRecord } from '../../../../core/is-record.ts'
import type { Attempt } from '../../../../traffic/attempt.ts'
import type { Transport } from '../../../../traffic/call.ts'
import { CallEnd } from './call-end.ts'
import { maxEventBytes, SubgraphEvent, type SubscriptionCall } from './subscription-call.ts'

/**
 * One subscription on a WebSocket of its own, in the `graphql-transport-ws` protocol (github.com/enisdenjo/graphql-ws, PROTOCOL.md). Settles when it
 * is over.
 */
export const socketTransport: Transport<SubscriptionCall, void> = {
  send(attempt: Attempt<SubscriptionCall>): Promise<void> {
    return new Promise((resolve, reject) => new SocketSubscription(attempt, resolve, reject))
  },
}

class SocketSubscription {
  readonly #attempt: Attempt<SubscriptionCall>
  readonly #socket: WebSocket
  readonly #end: CallEnd
  #acknowledged = false

  constructor(
    attempt: Attempt<SubscriptionCall>,
    resolve: () => void,
    reject: (error: GatewayError) => void,
  ) {
    this.#attempt = attempt
    const { call, endpoint } = attempt
    this.#end = new CallEnd(attempt, { resolve, reject, close: () => this.#close() })
    this.#socket = new WebSocket(
      `${endpoint.url.replace(/^http/, 'ws')}${call.path}`,
      'graphql-transport-ws',
      {
        headers: headersOf(call.headers),
        perMessageDeflate: false,
        maxPayload: maxEventBytes,
        followRedirects: false,
        // Its types know neither the one nor that Node takes the connection from the callback.
        ...({ closeTimeout: closeMs } as object),
        createConnection: ((_: unknown, done: (error: Error | null, socket?: unknown) => void) => {
          endpoint.http.connect((error, socket) => {
            if (error !== null) done(error)
            else if (this.#end.over) socket?.destroy()
            else {
              this.#end.sent()
              done(null, socket)
            }
          })
        }) as never,
      },
    )
    this.#listen()
    attempt.onCancel((error) => this.#end.fail(error))
  }

  #listen(): void {
    const socket = this.#socket
    socket.on('open', () => this.#send({ type: 'connection_init' }))
    socket.on('message', (data, isBinary) => {
      if (!this.#end.over) this.#take(data, isBinary)
    })
    socket.on('unexpected-response', (request, response) => {
      request.destroy()
      this.#end.refused(response.statusCode ?? 0)
    })
    socket.on('error', (error: Error & { readonly code?: string }) => {
      if (error.code?.startsWith('WS_ERR_') === true) this.#end.garbage(error)
      else this.#end.failBy(error)
    })
    socket.on('close', (code, reason) => {
      const said = `closed with ${code} ${reason.toString().slice(0, 200)}`
      if (fatalCodes.has(code)) this.#end.garbage(said)
      else this.#end.cut(said)
    })
  }

  #take(data: RawData, isBinary: boolean): void {
    const text = isBinary ? '' : String(data)
    try {
      const message: unknown = JSON.parse(text)
      if (!isRecord(message)) throw new Error('a message that is no object')
      this.#handle(message, text)
    } catch (cause) {
      this.#end.garbage(cause)
    }
  }

  #handle({ type, id, payload }: Readonly<Record<string, unknown>>, text: string): void {
    switch (type) {
      case 'connection_ack':
        if (this.#acknowledged) throw new Error('a second connection_ack')
        this.#acknowledged = true
        this.#socket.send(`{"id":"1","type":"subscribe","payload":${this.#attempt.call.body}}`)
        this.#end.opened(this.#socket)
        return
      case 'ping':
        this.#send({ type: 'pong' })
        return
      case 'pong':
        return
    }
    if (!this.#acknowledged || id !== '1')
      throw new Error(`an unexpected message "${String(type).slice(0, 50)}"`)
    if (type === 'next') {
      if (!isRecord(payload)) throw new Error('a payload that is no object')
      this.#end.event(new SubgraphEvent(text, { within: 'payload', value: payload }))
    } else if (type === 'error') {
      if (!Array.isArray(payload) || payload.length === 0) throw new Error('an error without errors')
      const value = { errors: payload }
      this.#end.event(new SubgraphEvent(JSON.stringify(value), { value }))
      this.#end.complete()
    } else if (type === 'complete') {
      this.#end.complete()
    } else {
      throw new Error(`an unexpected message "${String(type).slice(0, 50)}"`)
    }
  }

  #send(message: object): void {
    this.#socket.send(JSON.stringify(message))
  }

  #close(): void {
    const socket = this.#socket
    // Nobody asks what else it says: the rest is read and dropped, so that it hears of the end.
    if (socket.isPaused) socket.resume()
    if (socket.readyState !== socket.OPEN) {
      if (socket.readyState === socket.CONNECTING) socket.terminate()
      return
    }
    if (this.#acknowledged) this.#send({ id: '1', type: 'complete' })
    socket.close(1000)
  }
}

/** How long a subgraph may take to say good-bye, too. */
const closeMs = 2_000

/** Codes of the protocol by which a server says that it is no use to try again. */
const fatalCodes: ReadonlySet<number> = new Set([4400, 4401, 4403, 4406, 4409, 4429])

/** `ws` makes the head of the handshake itself. */
const ownHeaders = new Set(['content-type', 'content-length', 'accept'])

function headersOf(flat: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {}
  for (let i = 0; i < flat.length; i += 2) {
    const name = (flat[i] as string).toLowerCase()
    if (ownHeaders.has(name)) continue
    const before = headers[name]
    headers[name] = before === undefined ? (flat[i + 1] as string) : `${before}, ${flat[i + 1]}`
  }
  return headers
}
