import type { LookupFunction } from 'node:net'
import type { Channel, RpcReceiver, RpcRequest, RpcStream } from '../channel.ts'
import { type CallFailure, deadlinePassed } from './call-failure.ts'
import type { CallHome } from './call-home.ts'
import { Connection, type ConnectionOptions, type ConnectionOwner } from './connection.ts'
import { destinationOf, type TlsOptions, unreached } from './dial.ts'
import { FastCall } from './fast-call.ts'
import { errorCodes } from './protocol.ts'
import { RequestHeads } from './request-heads.ts'

/** What a channel needs to know of its endpoint; durations in milliseconds. */
export interface FastChannelOptions {
  /** The most that one message may have, either way, and decompressed. */
  readonly maxMessageBytes: number
  /** For the connection, TLS, and the server's first SETTINGS together. Default 10,000. */
  readonly connectTimeoutMs?: number
  /** How long a connection without calls is kept; 0: for ever. Default 0. */
  readonly idleTimeoutMs?: number
  /** How long a connection takes new calls, so that a change of addresses is noticed; 0: for ever. Default 0. */
  readonly maxAgeMs?: number
  /** A PING is sent when a connection with calls was silent for so long, at least 1,000; 0: never. Default 0. */
  readonly keepaliveMs?: number
  /** How long the answer to the PING may take. Default 20,000. */
  readonly keepaliveTimeoutMs?: number
  /** Connections at the most; a second is opened when the server's limit of calls on the first is used up. Default 4. */
  readonly maxConnections?: number
  /** Of the headers of an answer, by the count of SETTINGS_MAX_HEADER_LIST_SIZE. Default 65,536. */
  readonly maxHeaderBytes?: number
  /** Used when the URL is `https`. */
  readonly tls?: TlsOptions
  /** How names are found. Default: as Node does. */
  readonly lookup?: LookupFunction
}

/**
 * {@link Channel} over the gateway's own HTTP/2 client. `https` means TLS. Connections are made by the first calls and remade when
 * they are lost; after a failed attempt calls fail at once until the next may be made, a second later at the most.
 */
export class FastChannel implements Channel, ConnectionOwner, CallHome {
  readonly #options: ConnectionOptions
  readonly #maxMessageBytes: number
  readonly #maxConnections: number
  /** Those that take calls, now or soon. */
  readonly #connections = new Set<Connection>()
  /** Calls for which there is no room, in their order. */
  readonly #waiting = new Set<FastCall>()
  #closed = false
  #backoffMs = 0
  #notBefore = 0
  #lastFailure: CallFailure = unreached('refused', 'No connection established.')

  constructor(url: string, options: FastChannelOptions) {
    const { host, protocol } = new URL(url)
    this.#maxMessageBytes = options.maxMessageBytes
    this.#maxConnections = options.maxConnections ?? 4
    this.#options = {
      owner: this,
      destination: { ...destinationOf(url, options.tls), lookup: options.lookup },
      heads: new RequestHeads(host, protocol === 'https:' ? 'https' : 'http'),
      connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
      idleTimeoutMs: options.idleTimeoutMs ?? 0,
      maxAgeMs: options.maxAgeMs ?? 0,
      keepaliveMs: options.keepaliveMs ?? 0,
      keepaliveTimeoutMs: options.keepaliveTimeoutMs ?? 20_000,
      maxListBytes: options.maxHeaderBytes ?? 65_536,
      maxFields: 256,
      streamWindowBytes: 262_144,
      connectionWindowBytes: 8_388_608,
    }
  }

  start(request: RpcRequest, receiver: RpcReceiver): RpcStream {
    const call = new FastCall(request, receiver, this.#maxMessageBytes)
    if (call.over) return call
    if (this.#closed) {
      call.failLater(unreached('refused', 'The channel is closed.'))
      return call
    }
    if (this.#waiting.size === 0) {
      for (const connection of this.#connections) {
        if (!connection.hasRoom) continue
        connection.start(call)
        return call
      }
    }
    call.moveTo(this)
    this.#waiting.add(call)
    this.#openIfNeeded()
    return call
  }

  close(): void {
    this.#closed = true
    this.#endIfDone()
  }

  hasRoom(connection: Connection): void {
    if (this.#waiting.size > 0) {
      for (const call of this.#waiting) {
        if (!connection.hasRoom) break
        this.#waiting.delete(call)
        if (call.deadlineAt > performance.now()) connection.start(call)
        else call.fail(deadlinePassed, errorCodes.noError)
      }
      this.#openIfNeeded()
    }
    if (this.#closed) this.#endIfDone()
  }

  drains(connection: Connection): void {
    this.#connections.delete(connection)
    this.#openIfNeeded()
  }

  gone(connection: Connection, failure: CallFailure | undefined): void {
    this.#connections.delete(connection)
    if (connection.proven) this.#backoffMs = 0
    if (failure !== undefined) {
      this.#backoffMs = Math.min(longestBackoffMs, Math.max(firstBackoffMs, this.#backoffMs * 2))
      this.#notBefore = performance.now() + this.#backoffMs
      this.#lastFailure = { ...failure, reached: false }
    }
    this.#openIfNeeded()
  }

  leave(call: FastCall): void {
    this.#waiting.delete(call)
    if (this.#closed) this.#endIfDone()
  }

  wantsToSend(): void {}

  consumed(): void {}

  /** One attempt at a time: a connection that comes may have room for all. */
  #openIfNeeded(): void {
    if (this.#waiting.size === 0 || this.#connections.size >= this.#maxConnections) return
    for (const connection of this.#connections) if (connection.connecting) return
    if (performance.now() >= this.#notBefore) this.#connections.add(new Connection(this.#options))
    else if (this.#connections.size === 0) {
      for (const call of this.#waiting) call.failLater(this.#lastFailure)
    }
  }

  #endIfDone(): void {
    if (this.#waiting.size > 0) return
    for (const connection of this.#connections) connection.drain()
  }
}

const firstBackoffMs = 100
const longestBackoffMs = 1_000
