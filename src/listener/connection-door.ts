import type { Server, Socket } from 'node:net'
import { AddressAccess, type AddressLists } from '../core/address-access.ts'
import type { AddressRanges } from '../core/address-ranges.ts'
import { plainAddress, type TrustedProxies } from '../core/client-address.ts'
import { networkOf } from '../core/network-of.ts'
import { awaitProxyHeader } from './await-proxy-header.ts'
import { noteOrigin } from './connection-origin.ts'

/** Why a connection was closed as it came; a label of metrics. */
export type ConnectionRefusal = 'address' | 'proxy_header' | 'per_address'

export interface ConnectionDoorOptions {
  readonly access: AddressLists
  /** Peers that begin every connection with a PROXY header; nobody else may. */
  readonly proxyProtocol: AddressRanges
  /** How long such a header may take. */
  readonly headerTimeoutMs: number
  /** Open connections of one address (IPv6: of its /64) at the most; 0: any number. */
  readonly perAddress: number
  /** They bring the connections of many clients, and are not counted. */
  readonly proxies: TrustedProxies
  onRefused(reason: ConnectionRefusal): void
}

/** Decides about each connection as it comes, before a byte of it is read as TLS or HTTP. Whoever is refused is told nothing. */
export class ConnectionDoor {
  readonly #options: ConnectionDoorOptions
  readonly #open = new Map<string, number>()
  /** Those whose PROXY header is not there yet. */
  readonly #waiting = new Set<Socket>()
  #access: AddressAccess

  constructor(options: ConnectionDoorOptions) {
    this.#options = options
    this.#access = new AddressAccess(options.access)
  }

  /** Who may connect from now on; connections that there are stay. */
  use(access: AddressLists): void {
    this.#access = new AddressAccess(access)
  }

  /** Addresses that connections are counted for. */
  get counted(): number {
    return this.#open.size
  }

  /** Stands before what a server does with new connections. Returns that, for connections that have been through. */
  guard(server: Server): (socket: Socket) => void {
    const [listener] = server.listeners('connection')
    const begin = listener?.bind(server) as (socket: Socket) => void
    server.removeAllListeners('connection')
    server.on('connection', (socket: Socket) => this.#enter(socket, begin))
    return begin
  }

  /** Closes what waits. */
  close(): void {
    for (const socket of this.#waiting) socket.destroy()
  }

  #enter(socket: Socket, begin: (socket: Socket) => void): void {
    const { proxyProtocol, headerTimeoutMs, perAddress } = this.#options
    if (this.#access.open && proxyProtocol.empty && perAddress === 0) {
      begin(socket)
      return
    }
    const peer = plainAddress(socket.remoteAddress ?? '')
    if (!proxyProtocol.includes(peer)) {
      this.#judge(socket, peer, begin)
      return
    }
    this.#waiting.add(socket)
    awaitProxyHeader(socket, {
      timeoutMs: headerTimeoutMs,
      onRead: ({ source, bytes }) => {
        this.#waiting.delete(socket)
        noteOrigin(socket, source, bytes)
        // What a proxy says of itself, as to see whether we are there, is welcome.
        if (source === undefined) begin(socket)
        else this.#judge(socket, plainAddress(source.address), begin)
      },
      onNone: () => {
        this.#waiting.delete(socket)
        this.#options.onRefused('proxy_header')
      },
    })
  }

  #judge(socket: Socket, address: string, begin: (socket: Socket) => void): void {
    if (!this.#access.permits(address)) this.#refuse(socket, 'address')
    else if (!this.#count(socket, address)) this.#refuse(socket, 'per_address')
    else begin(socket)
  }

  #refuse(socket: Socket, reason: ConnectionRefusal): void {
    this.#options.onRefused(reason)
    socket.on('error', () => {})
    socket.destroy()
  }

  /** False when there are as many of this address as there may be. An address is forgotten with its last connection. */
  #count(socket: Socket, address: string): boolean {
    const { perAddress, proxies } = this.#options
    if (perAddress === 0 || proxies.trusts(address)) return true
    const network = networkOf(address)
    const open = this.#open.get(network) ?? 0
    if (open >= perAddress) return false
    this.#open.set(network, open + 1)
    socket.once('close', () => {
      const left = (this.#open.get(network) ?? 1) - 1
      if (left > 0) this.#open.set(network, left)
      else this.#open.delete(network)
    })
    return true
  }
}
