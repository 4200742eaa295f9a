import type { AddressInfo } from 'node:net'
import type { Config } from './config/schema.ts'
import { AddressRanges } from './core/address-ranges.ts'
import { TrustedProxies } from './core/client-address.ts'
import type { Logger } from './core/log.ts'
import type { GatewayOptions } from './gateway-options.ts'
import { ConnectionDoor, type ConnectionRefusal } from './listener/connection-door.ts'
import { watchLoad } from './listener/load-watch.ts'
import { Overload } from './listener/overload.ts'
import type { GatewayServer, ServerLimits } from './listener/server.ts'

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

/** The limits of the server in its own words. */
export function serverLimits({ limits }: Config['server']): ServerLimits {
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

/** What decides about connections; `onRefused` is told of those that are closed as they come. */
export function connectionDoor(
  { access, proxyProtocol, limits, trustedProxies }: Config['server'],
  onRefused: (reason: ConnectionRefusal) => void,
): ConnectionDoor {
  return new ConnectionDoor({
    access,
    proxyProtocol: new AddressRanges(proxyProtocol?.from ?? []),
    headerTimeoutMs: limits.headersTimeout,
    perAddress: limits.connectionsPerAddress,
    proxies: new TrustedProxies(trustedProxies),
    onRefused,
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

function placeOf(listen: string): { readonly host: string; readonly port: number } {
  const colon = listen.lastIndexOf(':')
  return { host: listen.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(listen.slice(colon + 1)) }
}

function urlOf(scheme: 'http' | 'https', { family, address, port }: AddressInfo): string {
  return `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}
