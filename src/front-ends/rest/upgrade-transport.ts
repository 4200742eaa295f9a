import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { createProxyServer } from 'http-proxy'
import { GatewayError } from '../../core/error.ts'
import { classifyRequestHeader } from '../../core/headers.ts'
import type { Transport } from '../../traffic/call.ts'
import type { Endpoint } from '../../traffic/endpoint.ts'
import { httpFailure } from '../../traffic/http-failure.ts'
import type { ProxyCall } from './proxy-call.ts'

/**
 * Connects a client's WebSocket to an endpoint; settles when the connection has ended. Frames pass byte for byte. What the
 * upstream answers instead of 101 is passed on as it is.
 */
export const upgradeTransport: Transport<ProxyCall, void> = {
  send(call: ProxyCall, endpoint: Endpoint): Promise<void> {
    const x = call.exchange
    const { upgrade, req } = x
    if (upgrade === undefined) throw new GatewayError('INTERNAL', 'The exchange has no connection to take over.')
    const socket = upgrade.socket as Socket
    readForProxy(req, call)
    return new Promise((resolve, reject) => {
      const proxy = createProxyServer({})
      const takeOver = (status: number): void => {
        call.headArrived()
        x.upgraded(status)
        socket.once('close', () => resolve())
      }
      proxy.on('proxyReqWs', (outgoing: ClientRequest) => {
        outgoing.once('upgrade', () => takeOver(101))
        outgoing.once('response', (reply: IncomingMessage) => takeOver(reply.statusCode ?? 502))
        x.whenGone(() => outgoing.destroy())
      })
      const target = { target: endpoint.url, changeOrigin: true, headers: toObject(call.headers) }
      proxy.ws(req, socket, upgrade.head, target, (error: Error) => {
        // http-proxy ends the connection after this callback, so that the refusal has to be written now.
        const failure = httpFailure(error, call.upstreamName)
        if (x.status === 0) x.fail(failure)
        reject(failure)
      })
    })
  },
}

/** http-proxy reads url and headers from the request: it gets the rewritten path and only what passes. */
function readForProxy(req: IncomingMessage, call: ProxyCall): void {
  const kept: Record<string, string | string[] | undefined> = {}
  for (const [name, value] of Object.entries(req.headers)) {
    const passes = classifyRequestHeader(name) !== 'drop' && !call.route.hiddenHeaders.has(name)
    if (passes || name === 'upgrade' || name === 'connection') kept[name] = value
  }
  kept.connection = 'Upgrade'
  req.headers = kept
  req.url = call.path
}

function toObject(flat: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {}
  for (let i = 0; i < flat.length; i += 2) headers[(flat[i] as string).toLowerCase()] = flat[i + 1] as string
  delete headers['content-length']
  return headers
}
