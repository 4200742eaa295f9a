import type { AddressInfo } from 'node:net'
import type { Config } from './config/schema.ts'
import { AddressRanges } from './core/address-ranges.ts'
import { TrustedProxies } from './core/client-address.ts'
import type { Logger } from './core/log.ts'
import type { GatewayOptions } from './gateway-options.ts'
import { ConnectionDoor } from './listener/connection-door.ts'
import { watchLoad } from './listener/load-watch.ts'
import { Overload } from './listener/overload.ts'
import { GatewayServer, type GatewayServerOptions, type ServerLimits } from './listener/server.ts'
import type { GatewayMetrics } from './metrics/gateway-metrics.ts'

/** Base URLs of a gateway that listens. */
export interface OpenPorts {
  readonly url: string
  /** For clients that speak TLS; undefined without `server.tls`. */
  readonly tlsUrl: string | undefined
}

/** Listens where the configuration says, or at another port there for cleartext. Rejects when a port is taken; then none is open. */
export async function openPorts(
  server: GatewayServer,
  { listen, tls }: Config['server'],
  port?: string,
): Promise<OpenPorts> {
  const plain = placeOf(listen)
  const url = urlOf('http', await server.listen(plain.host, Number(port ?? plain.port)))
  if (tls === undefined) return { url, tlsUrl: undefined }
  const secure = placeOf(tls.listen)
  return { url, tlsUrl: urlOf('https', await server.listenTls(secure.host, secure.port)) }
}

/** What a gateway's server is made of. */
export interface ServerParts extends Pick<GatewayServerOptions, 'listener' | 'fallback' | 'door'> {
  /** Told of what is refused before there is a request. */
  readonly gauges: GatewayMetrics
}

/** The server of a gateway; it listens nowhere yet. */
export function gatewayServer(
  { limits, tls }: Config['server'],
  { gauges, ...parts }: ServerParts,
): GatewayServer {
  return new GatewayServer({
    ...parts,
    limits: serverLimits(limits),
    tls: tls && { clientAuth: tls.clientAuth, onFailed: (failure) => gauges.failedHandshake(failure) },
    onRefused: (error) => gauges.refusedOnTheWire(error),
  })
}

/** What decides about connections; `gauges` count those that are closed as they come. */
export function connectionDoor(
  { access, proxyProtocol, limits, trustedProxies }: Config['server'],
  gauges: GatewayMetrics,
): ConnectionDoor {
  return new ConnectionDoor({
    access,
    proxyProtocol: new AddressRanges(proxyProtocol?.from ?? []),
    headerTimeoutMs: limits.headersTimeout,
    perAddress: limits.connectionsPerAddress,
    proxies: new TrustedProxies(trustedProxies),
    onRefused: (reason) => gauges.refusedConnection(reason),
  })
}

/** What decides when requests are refused; offline there are none. */
export function overloadOf(
  { overload }: Config['server'],
  options: Pick<GatewayOptions, 'watchLoad' | 'offline'> & { readonly log: Logger },
): Overload {
  const { watchLoad: watch = watchLoad, offline = false, log } = options
  const { eventLoopDelay: eventLoopDelayMs, heapPercent } = overload
  return new Overload({ eventLoopDelayMs, heapPercent, log, watch: offline ? undefined : watch })
}

/** The limits of the server in its own words. */
function serverLimits(limits: Config['server']['limits']): ServerLimits {
  return {
    headerBytes: limits.headerBytes,
    headerCount: limits.headerCount,
    urlBytes: limits.urlBytes,
    headersTimeoutMs: limits.headersTimeout,
    bodyTimeoutMs: limits.bodyTimeout,
    keepAliveTimeoutMs: limits.keepAliveTimeout,
    connections: limits.connections,
  }
}

function placeOf(listen: string): { readonly host: string; readonly port: number } {
  const colon = listen.lastIndexOf(':')
  return { host: listen.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(listen.slice(colon + 1)) }
}

function urlOf(scheme: 'http' | 'https', { family, address, port }: AddressInfo): string {
  return `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}
