import type { WebSocket } from 'ws'
import { type GatewayError, toGatewayError } from '../../../../core/error.ts'
import type { HttpExchange } from '../../../../core/http-exchange.ts'
import { messageOf } from '../../../../core/message-of.ts'
import { closeCodeOf, closeCodes, closeReason } from './close-codes.ts'
import { MessageRate } from './message-rate.ts'
import { readSocketMessage, type SocketMessage } from './socket-message.ts'

/** What clients may do on one WebSocket; durations in milliseconds. */
export interface SocketLimits {
  /** Until `connection_init`. */
  readonly initTimeoutMs: number
  readonly messagesPerSecond: number
  /** At once. */
  readonly operations: number
}

/** What is done with what a client says. */
export interface SocketServer {
  /** Lets a client in. Rejects with the GatewayError that its connection ends with. */
  init(payload: unknown): Promise<void>
  /** Runs an operation, and tells the socket of it. */
  subscribe(id: string, payload: Readonly<Record<string, unknown>>): SocketOperation
}

/** One operation of a client. */
export interface SocketOperation {
  /** Whether it may be waited for, because it ends by itself. */
  readonly isShort: boolean
  /** The client does not want to hear more of it. */
  cancel(): void
}

/** One connection in the `graphql-transport-ws` protocol, the side of the server. */
export class GraphqlSocket {
  readonly #x: HttpExchange
  readonly #socket: WebSocket
  readonly #limits: SocketLimits
  readonly #server: SocketServer
  readonly #rate: MessageRate
  readonly #operations = new Map<string, SocketOperation>()
  #state: 'new' | 'init' | 'acknowledged' = 'new'
  #timer: NodeJS.Timeout | undefined
  #drained: Promise<void> | undefined
  #retired: NodeJS.Timeout | undefined

  constructor(
    x: HttpExchange,
    socket: WebSocket,
    { limits, server }: { limits: SocketLimits; server: SocketServer },
  ) {
    this.#x = x
    this.#socket = socket
    this.#limits = limits
    this.#server = server
    this.#rate = new MessageRate(limits.messagesPerSecond)
    this.#timer = setTimeout(
      () => this.close(closeCodes.initTimeout, 'Connection initialisation timeout'),
      limits.initTimeoutMs,
    )
    socket.on('message', (data, isBinary) => this.#take(String(data), isBinary))
    socket.on('close', () => this.#over())
    socket.resume()
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN
  }

  /** Ends the connection for that reason. */
  fail(error: GatewayError): void {
    this.close(closeCodeOf(error), error.message)
  }

  close(code: number, reason: string): void {
    if (this.isOpen) this.#socket.close(code, closeReason(reason))
    // Nobody is told more: what runs is let go, and the client's own close is still to be read.
    this.#over()
    this.#socket.resume()
  }

  /** Has the client connect again: at once, or when what it waits for is answered, subscriptions aside. */
  retire(): void {
    this.#retired ??= setTimeout(() => this.#restart(), retireMs)
    this.#retired.unref()
    if (!this.#hasShort()) this.#restart()
  }

  /** Sends one result of an operation, as JSON text. Resolves when the client has room for the next. */
  next(operation: SocketOperation, id: string, text: string): Promise<void> {
    return this.#tell(operation, id, `"next","payload":${text}`)
  }

  /** The end of an operation; with errors (JSON text) it has failed. */
  end(operation: SocketOperation, id: string, errors?: string): void {
    void this.#tell(operation, id, errors === undefined ? '"complete"' : `"error","payload":${errors}`)
    if (this.#operations.get(id) === operation) this.#operations.delete(id)
    if (this.#retired !== undefined && !this.#hasShort()) this.#restart()
  }

  #tell(operation: SocketOperation, id: string, rest: string): Promise<void> {
    if (this.#operations.get(id) !== operation) return Promise.resolve()
    return this.#send(`{"id":${JSON.stringify(id)},"type":${rest}}`)
  }

  #take(text: string, isBinary: boolean): void {
    if (!this.isOpen) return
    this.#x.requestBytes += text.length
    if (!this.#rate.take()) {
      this.close(closeCodes.tooMany, 'Too many messages')
      return
    }
    try {
      if (isBinary) throw new Error('Invalid message: not a text')
      this.#handle(readSocketMessage(text))
    } catch (error) {
      this.close(closeCodes.badRequest, messageOf(error))
    }
  }

  #handle(message: SocketMessage): void {
    switch (message.type) {
      case 'connection_init':
        void this.#init(message.payload)
        return
      case 'ping':
        void this.#send(message.payload === undefined ? '{"type":"pong"}' : pong(message.payload))
        return
      case 'pong':
        return
      case 'complete': {
        const operation = this.#operations.get(message.id)
        this.#operations.delete(message.id)
        operation?.cancel()
        return
      }
      case 'subscribe':
        this.#subscribe(message.id, message.payload)
    }
  }

  async #init(payload: unknown): Promise<void> {
    if (this.#state !== 'new') {
      this.close(closeCodes.tooMany, 'Too many initialisation requests')
      return
    }
    this.#state = 'init'
    clearTimeout(this.#timer)
    try {
      await this.#server.init(payload)
      this.#state = 'acknowledged'
      void this.#send('{"type":"connection_ack"}')
    } catch (thrown) {
      const error = toGatewayError(thrown)
      this.#x.error ??= error
      this.fail(error)
    }
  }

  #subscribe(id: string, payload: Readonly<Record<string, unknown>>): void {
    if (this.#state !== 'acknowledged') {
      this.close(closeCodes.unauthorized, 'Unauthorized')
    } else if (this.#operations.has(id)) {
      this.close(closeCodes.subscriberExists, `Subscriber for ${id} already exists`)
    } else if (this.#operations.size >= this.#limits.operations) {
      this.close(closeCodes.tooMany, `At most ${this.#limits.operations} operations at once`)
    } else if (this.#retired === undefined) {
      this.#operations.set(id, this.#server.subscribe(id, payload))
    }
  }

  #hasShort(): boolean {
    for (const { isShort } of this.#operations.values()) if (isShort) return true
    return false
  }

  #restart(): void {
    this.close(closeCodes.serviceRestart, 'Service restart')
  }

  #send(text: string): Promise<void> {
    if (!this.isOpen) return Promise.resolve()
    this.#x.responseBytes += Buffer.byteLength(text)
    this.#socket.send(text)
    const connection = this.#x.upgrade?.socket
    if (connection?.writableNeedDrain !== true) return Promise.resolve()
    this.#drained ??= this.#drain(connection)
    return this.#drained
  }

  /** While the client does not read, nothing of it is read either: it would only ask for more. */
  async #drain(connection: NodeJS.EventEmitter): Promise<void> {
    this.#socket.pause()
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        connection.off('drain', done).off('close', done)
        resolve()
      }
      const timer = setTimeout(() => this.#socket.terminate(), slowMs)
      connection.on('drain', done).on('close', done)
    })
    this.#drained = undefined
    this.#socket.resume()
  }

  #over(): void {
    clearTimeout(this.#timer)
    clearTimeout(this.#retired)
    const running = [...this.#operations.values()]
    this.#operations.clear()
    for (const operation of running) operation.cancel()
  }
}

function pong(payload: unknown): string {
  return JSON.stringify({ type: 'pong', payload })
}

/** How long a client may take for what waits for it. */
const slowMs = 30_000
/** How long queries and mutations may take before a connection ends that is to end. */
const retireMs = 5_000
