import type { WebSocket } from 'ws'
import { GatewayError } from '../../../../core/error.ts'
import type { HttpExchange } from '../../../../core/http-exchange.ts'
import { acceptSocket } from '../../../accept-socket.ts'
import { watchSocket } from '../../../watch-socket.ts'
import { headersOfPayload } from './connection-params.ts'
import { refuseForeignCookies } from './foreign-page.ts'
import { GraphqlSocket, type SocketLimits } from './graphql-socket.ts'
import { type OperationParts, RunningOperation } from './running-operation.ts'
import { type OperationPlan, SocketExchange } from './socket-exchange.ts'

/** How WebSockets are served; durations in milliseconds. */
export interface SocketOptions extends SocketLimits {
  readonly messageBytes: number
  /** 0: never. */
  readonly pingMs: number
  /** Headers with credentials that clients may say in `connection_init`, lower case; undefined: none. */
  readonly connectionParams: ReadonlySet<string> | undefined
}

/** Serves the WebSockets of one front-end. */
export class SocketDoor {
  readonly #options: SocketOptions
  readonly #parts: OperationParts
  readonly #open = new Set<GraphqlSocket>()
  #plan: OperationPlan | undefined
  #retired = false

  constructor(options: SocketOptions, parts: OperationParts) {
    this.#options = options
    this.#parts = parts
  }

  /** What operations go through. Default: what the handshake goes through. */
  use(plan: OperationPlan): void {
    this.#plan = plan
  }

  /** Takes the connection of an exchange over. Rejects with a GatewayError while it can still be answered. */
  async serve(x: HttpExchange): Promise<void> {
    if (!offered(x.header('sec-websocket-protocol')).includes(subprotocol)) {
      throw new GatewayError(
        'MALFORMED_REQUEST',
        `A WebSocket must offer Sec-WebSocket-Protocol: ${subprotocol}.`,
        {
          headers: ['Sec-WebSocket-Protocol', subprotocol],
        },
      )
    }
    refuseForeignCookies(x)
    if (this.#retired)
      throw new GatewayError('DRAINING', 'The gateway is shutting down.', { retryAfterMs: 1_000 })
    const { messageBytes, pingMs } = this.#options
    const socket = await acceptSocket(x, { maxMessageBytes: messageBytes, protocol: subprotocol })
    if (x.upgrade !== undefined) watchSocket(socket, x.upgrade.socket, pingMs)
    this.#begin(x, socket)
  }

  /** The clients are to connect again, to who takes over. */
  retire(): void {
    this.#retired = true
    for (const socket of [...this.#open]) socket.retire()
  }

  #begin(x: HttpExchange, socket: WebSocket): void {
    let headers: Readonly<Record<string, string>> = {}
    const plan = this.#plan ?? { route: x.route, hooks: x.hooks }
    const exchange = (body: string): SocketExchange => new SocketExchange(x, plan, { headers, body })
    const served: GraphqlSocket = new GraphqlSocket(x, socket, {
      limits: this.#options,
      server: {
        init: async (payload) => {
          const { connectionParams } = this.#options
          if (connectionParams === undefined) return
          headers = headersOfPayload(payload, connectionParams)
          refuseOthers(x, headers)
          await this.#letIn(x, exchange('{}'))
        },
        subscribe: (id, payload) => {
          const operation = new RunningOperation(exchange(JSON.stringify(payload)), {
            socket: served,
            id,
            parts: this.#parts,
          })
          // When it is known to the socket.
          queueMicrotask(() => void operation.run(payload))
          return operation
        },
      },
    })
    this.#open.add(served)
    socket.once('close', () => this.#open.delete(served))
    x.whenGone((stopped) => {
      if (stopped !== undefined) served.fail(stopped)
    })
  }

  /** The connection is its caller's from now on: it ends with the credential. */
  async #letIn(x: HttpExchange, asked: SocketExchange): Promise<void> {
    try {
      await asked.admit()
      x.principal = asked.principal
    } finally {
      asked.settle()
    }
  }
}

/** Two credentials in one place would be two callers: the handshake is believed, or the payload. */
function refuseOthers(x: HttpExchange, headers: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(headers)) {
    if (x.header(name) === undefined || x.header(name) === headers[name]) continue
    throw new GatewayError(
      'MALFORMED_REQUEST',
      `"${name}" is said by the handshake and otherwise by connection_init.`,
    )
  }
}

function offered(header: string | undefined): string[] {
  return (header ?? '').split(',').map((name) => name.trim())
}

const subprotocol = 'graphql-transport-ws'
