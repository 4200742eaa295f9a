import type { Socket } from 'node:net'
import { type CallFailure, noGrpc } from './call-failure.ts'
import type { CallHome } from './call-home.ts'
import { type Clocked, type ClockOptions, ConnectionClock } from './connection-clock.ts'
import { connectFailure, type Destination, dial, refusedProtocol, unreached } from './dial.ts'
import type { FastCall } from './fast-call.ts'
import { FrameReader } from './frame-reader.ts'
import { Outbox } from './outbox.ts'
import { ConnectionError, defaultFrameBytes, errorCodes, frameTypes, maxInt31 } from './protocol.ts'
import { type ReceiveLimits, Receiver } from './receiver.ts'
import type { RequestHeads } from './request-heads.ts'
import { Sender } from './sender.ts'
import { initialSettings, openingBytes, type PeerSettings } from './settings.ts'
import { StreamTable } from './stream-table.ts'

/** What a connection tells who opened it. */
export interface ConnectionOwner {
  /** The connection may take calls, or more of them than before. */
  hasRoom(connection: Connection): void
  /** It takes no more calls; those on it go on. */
  drains(connection: Connection): void
  /** It is no more. With a failure when it never was; `proven` when a backend had answered on it. */
  gone(connection: Connection, failure: CallFailure | undefined): void
}

/** What a connection needs to know. */
export interface ConnectionOptions extends ClockOptions, ReceiveLimits {
  readonly destination: Destination
  readonly heads: RequestHeads
  readonly owner: ConnectionOwner
}

/** One HTTP/2 connection as a client, from dialling to the end. Source: RFC 9113. */
export class Connection implements CallHome, Clocked {
  readonly #options: ConnectionOptions
  readonly #socket: Socket
  readonly #settings: PeerSettings = initialSettings()
  readonly #streams = new StreamTable()
  readonly #outbox: Outbox
  readonly #sender: Sender
  readonly #receiver: Receiver
  readonly #reader: FrameReader
  readonly #clock: ConnectionClock
  #state: 'connecting' | 'ready' | 'draining' | 'dead' = 'connecting'
  #connected = false
  /** How often something came. */
  #heard = 0
  #error: Error | undefined

  constructor(options: ConnectionOptions) {
    this.#options = options
    const socket = dial(options.destination)
    this.#socket = socket
    this.#outbox = new Outbox(socket)
    this.#sender = new Sender(this.#outbox, options.heads, this.#settings)
    this.#clock = new ConnectionClock(options, this)
    this.#receiver = new Receiver(options, {
      streams: this.#streams,
      settings: this.#settings,
      sender: this.#sender,
      connection: this,
    })
    this.#reader = new FrameReader(defaultFrameBytes, this.#receiver)
    socket.once('connect', () => {
      this.#connected = true
    })
    socket.once(options.destination.tls === undefined ? 'connect' : 'secureConnect', () => this.#greet())
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('drain', () => {
      this.#outbox.drained()
      this.#sender.pump()
    })
    socket.on('error', (error) => {
      this.#error = error
    })
    // From its FIN on no call may be put on it.
    socket.once('end', () => this.#closed())
    socket.once('close', () => this.#closed())
  }

  get callCount(): number {
    return this.#streams.size
  }

  get connecting(): boolean {
    return this.#state === 'connecting'
  }

  /** Whether a backend answered a call on it. */
  get proven(): boolean {
    return this.#receiver.answered
  }

  /** Whether a call may be started now. */
  get hasRoom(): boolean {
    return this.#state === 'ready' && this.#streams.size < this.#settings.maxConcurrentStreams
  }

  /** Puts a call on the wire; only when there {@link hasRoom}. */
  start(call: FastCall): void {
    call.id = this.#streams.nextId
    call.sendWindow = this.#settings.initialWindowBytes
    call.receiveWindow = this.#options.streamWindowBytes
    call.heardBefore = this.#heard
    call.moveTo(this)
    if (!this.#sender.open(call)) {
      call.id = 0
      call.moveTo(undefined)
      call.failLater({ failure: 'requestTooLarge', code: 8, message: 'The backend takes no such metadata.' })
      return
    }
    this.#streams.add(call)
    if (this.#streams.nextId > maxInt31) this.drain()
  }

  /** Takes no more calls, and ends when there are none. */
  drain(): void {
    if (this.#state === 'connecting') this.#socket.destroy()
    if (this.#state !== 'ready') return
    this.#state = 'draining'
    this.#options.owner.drains(this)
    this.#endIfDone()
  }

  /** The server's first SETTINGS came, or changed ones. */
  settled(): void {
    if (this.#state === 'connecting') {
      this.#state = 'ready'
      this.#clock.ready()
    }
    if (this.hasRoom) this.#options.owner.hasRoom(this)
  }

  /** A call is done on the wire. */
  left(): void {
    if (this.#streams.size === 0) this.#clock.becameIdle()
    if (this.#state === 'draining') this.#endIfDone()
    else if (this.hasRoom) this.#options.owner.hasRoom(this)
  }

  leave(call: FastCall, errorCode: number): void {
    if (this.#state === 'dead' || !this.#streams.reset(call)) return
    this.#sender.forget(call)
    this.#sender.control(frameTypes.rstStream, call.id, errorCode)
    this.left()
  }

  wantsToSend(call: FastCall): void {
    if (this.#state !== 'dead') this.#sender.wantsToSend(call)
  }

  consumed(call: FastCall, bytes: number): void {
    if (this.#state !== 'dead') this.#receiver.windows.giveBack(call, bytes)
  }

  connectTimedOut(): void {
    this.#end(unreached('connectTimeout', 'No connection established: timed out.'))
  }

  ping(): void {
    this.#sender.echo(frameTypes.ping, 0, keepalivePayload)
  }

  fellSilent(): void {
    this.#end({ failure: 'reset', code: 14, message: 'Connection dropped: no answer to a keepalive PING.' })
  }

  #greet(): void {
    const refused = refusedProtocol(this.#socket)
    if (refused !== undefined) this.#end(refused)
    else this.#outbox.append(openingBytes(this.#options))
  }

  #take(chunk: Buffer): void {
    if (this.#state === 'dead') return
    this.#clock.heard = true
    this.#heard++
    try {
      this.#reader.push(chunk)
    } catch (thrown) {
      this.#breakOff(thrown instanceof ConnectionError ? thrown : internalError(thrown))
    }
  }

  /** The peer broke the rules: GOAWAY, and all calls are told. Source: RFC 9113 section 5.4.1. */
  #breakOff({ code, message }: ConnectionError): void {
    if (this.#state === 'dead') return
    const unproven = this.#state === 'connecting'
    this.#sender.control(frameTypes.goaway, 0, 0, code)
    this.#end({ ...noGrpc(`HTTP/2: ${message}`), ...(unproven ? { reached: false } : {}) })
  }

  #endIfDone(): void {
    if (this.#streams.size > 0 || this.#state === 'dead') return
    this.#sender.control(frameTypes.goaway, 0, 0, errorCodes.noError)
    this.#end(undefined)
  }

  #closed(): void {
    const { destination } = this.#options
    if (this.#state === 'connecting') {
      this.#end(
        connectFailure(this.#error, { secure: destination.tls !== undefined, connected: this.#connected }),
      )
      return
    }
    const reason = this.#error?.message ?? 'the server closed it'
    this.#end({ failure: 'reset', code: 14, message: `Connection dropped: ${reason}.` })
  }

  /** Ends it once: writes what is written, tells every call, and lets the socket go. */
  #end(failure: CallFailure | undefined): void {
    if (this.#state === 'dead') return
    const failedToConnect = this.#state === 'connecting'
    this.#state = 'dead'
    this.#clock.stop()
    this.#outbox.flush()
    const socket = this.#socket
    if (failedToConnect && !this.#connected) socket.destroy()
    else {
      socket.end()
      if (!socket.destroyed) setTimeout(destroy, lingerMs, socket).unref()
    }
    const provedBad = failedToConnect || (!this.proven && this.#streams.size > 0)
    this.#options.owner.gone(this, provedBad ? failure : undefined)
    if (failure === undefined) return
    for (const call of this.#streams.clear()) {
      // Nothing came since: the backend was closing it as the call went out.
      const stale = failure.failure === 'reset' && this.proven && call.heardBefore === this.#heard
      call.fail(stale ? { ...failure, stale } : failure, errorCodes.noError)
    }
  }
}

function internalError(thrown: unknown): ConnectionError {
  return new ConnectionError(errorCodes.internalError, String(thrown))
}

function destroy(socket: Socket): void {
  socket.destroy()
}

const keepalivePayload = Buffer.from('trivium ')
/** How long the last words may take. */
const lingerMs = 500
