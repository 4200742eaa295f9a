import type { IncomingHttpHeaders } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Dispatcher } from 'undici'
import { GatewayError } from '../../core/error.ts'
import type { UpgradeSocket } from '../../core/http-exchange.ts'
import { endSlowly } from '../../core/linger.ts'
import type { Attempt } from '../../traffic/attempt.ts'
import type { Transport } from '../../traffic/call.ts'
import { Relay } from './http-transport.ts'
import { passingHeaders } from './passing-headers.ts'
import type { ProxyCall } from './proxy-call.ts'

/**
 * Connects a client's WebSocket to an endpoint; settles when the connection has ended. Frames pass byte for byte. What the
 * upstream answers instead of 101 is passed on as a plain answer.
 */
export const upgradeTransport: Transport<ProxyCall, void> = {
  send(attempt: Attempt<ProxyCall>): Promise<void> {
    const { call, endpoint } = attempt
    const { upgrade } = call.exchange
    if (upgrade === undefined)
      throw new GatewayError('INTERNAL', 'The exchange has no connection to take over.')
    const stopWatching = endWithClient(upgrade.socket)
    return new Promise<void>((resolve, reject) => {
      const relay = new UpgradeRelay(attempt, resolve, reject, { client: upgrade, stopWatching })
      attempt.onCancel(relay.abort)
      relay.startWithin(call.remainingMs())
      endpoint.http.upgrade(
        {
          path: call.path,
          method: call.method as Dispatcher.HttpMethod,
          headers: withoutLength(call.headers),
          upgrade: 'websocket',
          headersTimeout: call.remainingMs(),
          bodyTimeout: call.upstream.options.bodyIdleTimeoutMs,
        },
        relay,
      )
    }).finally(stopWatching)
  },
}

/**
 * Ends the connection of a client that leaves while nobody reads from it; what it sent early stays where it is. Returns what stops it.
 */
function endWithClient(socket: Duplex): () => void {
  // A read with nothing to be had is how a stream is made to tell its end.
  const look = (): void => {
    if (socket.readableLength === 0) socket.read()
  }
  const end = (): void => void socket.destroy()
  socket.on('readable', look).once('end', end)
  return () => void socket.off('readable', look).off('end', end)
}

/** One attempt at an upgrade: two connections become one. */
class UpgradeRelay extends Relay {
  readonly #attempt: Attempt<ProxyCall>
  readonly #resolve: () => void
  readonly #client: UpgradeSocket
  readonly #stopWatching: () => void

  constructor(
    attempt: Attempt<ProxyCall>,
    resolve: () => void,
    reject: (error: GatewayError) => void,
    { client, stopWatching }: { readonly client: UpgradeSocket; readonly stopWatching: () => void },
  ) {
    super(attempt, resolve, reject)
    this.#attempt = attempt
    this.#resolve = resolve
    this.#client = client
    this.#stopWatching = stopWatching
  }

  onRequestUpgrade(
    { rawHeaders }: Dispatcher.DispatchController,
    status: number,
    _headers: IncomingHttpHeaders,
    upstream: Duplex,
  ): void {
    const { socket: client, head } = this.#client
    this.#stopWatching()
    this.#attempt.status = status
    this.#attempt.answered()
    if (client.destroyed) {
      upstream.destroy()
      this.#resolve()
      return
    }
    const headers = passingHeaders(rawHeaders ?? [])
    headers.push('Connection', 'Upgrade', 'Upgrade', 'websocket')
    client.write(
      `HTTP/1.1 101 Switching Protocols\r\n${lines(this.#attempt.call.exchange.upgraded(101, headers))}\r\n`,
    )
    if (head.length > 0) upstream.write(head)
    // Whichever side ends takes the other with it.
    client.once('close', () => {
      endSlowly(upstream)
      this.#resolve()
    })
    upstream.once('close', () => {
      if (!client.destroyed) endSlowly(client)
    })
    upstream.on('error', () => upstream.destroy())
    client.on('error', () => client.destroy())
    client.pipe(upstream).pipe(client)
  }
}

function lines(headers: readonly string[]): string {
  let text = ''
  for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`
  return text
}

function withoutLength(headers: readonly string[]): string[] {
  return headers.filter((_, i) => (headers[i & ~1] as string).toLowerCase() !== 'content-length')
}
