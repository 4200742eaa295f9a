import type { ClientRequest, IncomingMessage } from 'node:http'
import { Agent } from 'node:https'
import type { Socket } from 'node:net'
import { type Duplex, pipeline } from 'node:stream'
import { createProxyServer } from 'http-proxy'
import { errors } from 'undici'
import { GatewayError } from '../../core/error.ts'
import { endSlowly } from '../../core/linger.ts'
import type { Attempt } from '../../traffic/attempt.ts'
import type { Transport } from '../../traffic/call.ts'
import type { Endpoint } from '../../traffic/endpoint.ts'
import { httpFailure } from '../../traffic/http-failure.ts'
import { tlsConnectOptions } from '../../traffic/upstream-tls.ts'
import { passingHeaders } from './passing-headers.ts'
import type { ProxyCall } from './proxy-call.ts'

/**
 * Connects a client's WebSocket to an endpoint; settles when the connection has ended. Frames pass byte for byte. What the
 * upstream answers instead of 101 is passed on as a plain answer.
 */
export const upgradeTransport: Transport<ProxyCall, void> = {
  send(attempt: Attempt<ProxyCall>): Promise<void> {
    const { call, endpoint } = attempt
    const { upgrade, req } = call.exchange
    if (upgrade === undefined)
      throw new GatewayError('INTERNAL', 'The exchange has no connection to take over.')
    // http-proxy reads path and headers from the request.
    req.url = call.path
    req.headers = { connection: 'Upgrade', upgrade: 'websocket' }
    const stopWatching = endWithClient(upgrade.socket)
    return new Promise<void>((resolve, reject) => {
      const proxy = createProxyServer({})
      // Connections that break after the 101 are ended by `takeOver`.
      proxy.on('error', () => {})
      let outgoing: ClientRequest | undefined
      proxy.once('proxyReqWs', (request: ClientRequest) => {
        outgoing = request
        // Ours come first: http-proxy writes the head that they leave in the answer.
        request.once('upgrade', (reply: IncomingMessage, upstream: Duplex) => {
          stopWatching()
          takeOver(attempt, reply, upstream)
        })
      })
      const target = {
        target: endpoint.url,
        ...(endpoint.url.startsWith('https:') && { agent: secureAgent(endpoint) }),
        changeOrigin: true,
        headers: outgoingHeaders(call),
        connectTimeout: endpoint.connections.connectTimeoutMs,
      }
      // The first attempt has put what came after the client's head back into the connection.
      const head = call.attempts === 1 ? upgrade.head : Buffer.alloc(0)
      proxy.ws(req, upgrade.socket as Socket, head, target)
      if (outgoing === undefined) throw new GatewayError('INTERNAL', 'The upgrade was not sent.')
      watch(attempt, outgoing, { resolve, reject })
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

interface Settle {
  resolve(): void
  reject(error: GatewayError): void
}

/**
 * Everything but a 101 is ours: http-proxy would end the client's connection at an error, so that neither a refusal nor another attempt
 * is possible, and would hold a whole answer in memory for a client that reads slowly.
 */
function watch(attempt: Attempt<ProxyCall>, outgoing: ClientRequest, { resolve, reject }: Settle): void {
  const { call } = attempt
  const { exchange: x, upstreamName } = call
  const limitMs = call.remainingMs()
  const timer =
    limitMs === 0 ? undefined : setTimeout(() => outgoing.destroy(new errors.HeadersTimeoutError()), limitMs)
  attempt.onCancel((error) => outgoing.destroy(error))
  outgoing.removeAllListeners('error').on('error', (error: Error) => {
    clearTimeout(timer)
    reject(error instanceof GatewayError ? error : httpFailure(error, upstreamName))
  })
  outgoing.once('upgrade', () => {
    clearTimeout(timer)
    if (x.upgrade?.socket.destroyed === true) resolve()
    else x.upgrade?.socket.once('close', () => resolve())
  })
  outgoing.removeAllListeners('response').once('response', (reply: IncomingMessage) => {
    clearTimeout(timer)
    if ((reply.statusCode ?? 0) >= 500) attempt.fault = `status ${reply.statusCode}`
    attempt.answered()
    x.writeHead(reply.statusCode as number, passingHeaders(reply.rawHeaders))
    reply.on('data', (chunk: Buffer) => {
      x.responseBytes += chunk.length
    })
    pipeline(reply, x.res, (error) => {
      if (error == null) resolve()
      else reject(httpFailure(error, upstreamName))
    })
  })
}

/** The exchange becomes a connection: its head is completed, and whichever side ends takes the other with it. */
function takeOver(attempt: Attempt<ProxyCall>, reply: IncomingMessage, upstream: Duplex): void {
  const x = attempt.call.exchange
  attempt.answered()
  const headers = passingHeaders(reply.rawHeaders)
  headers.push('Connection', 'Upgrade', 'Upgrade', 'websocket')
  reply.headers = collect(x.upgraded(101, headers))
  const client = x.upgrade?.socket
  client?.once('close', () => endSlowly(upstream))
  upstream.once('close', () => {
    if (client?.destroyed === false) endSlowly(client)
  })
  upstream.on('error', () => upstream.destroy())
}

function outgoingHeaders(call: ProxyCall): Record<string, string[]> {
  const headers = collect(call.headers)
  delete headers['content-length']
  return headers
}

/** Flat headers by name in lower case, as `node:http` takes them. */
function collect(flat: readonly string[]): Record<string, string[]> {
  const headers: Record<string, string[]> = {}
  for (let i = 0; i < flat.length; i += 2) {
    const name = (flat[i] as string).toLowerCase()
    headers[name] = [...(headers[name] ?? []), flat[i + 1] as string]
  }
  return headers
}

/** For one connection: http-proxy itself knows of certificates, but not of the name that they must be for. */
function secureAgent({ url, connections }: Endpoint): Agent {
  return new Agent({ ...tlsConnectOptions(url, connections.tls), maxCachedSessions: 0 })
}
