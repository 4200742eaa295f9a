import type { Exchange } from '../core/exchange.ts'
import { grpcNumbers } from '../core/reason-entry.ts'
import type { AttributeValue } from './otlp-span.ts'

/**
 * What the span of an exchange is called. GraphQL: the type of the operation, because its name is the client's. RPC: the whole name of the method,
 * where its path is the route. Else the method of HTTP and the route.
 */
export function exchangeName({ request, route, attributes }: Exchange): string {
  if (route.protocol === 'graphql') return String(attributes['graphql.operation.type'] ?? 'GraphQL Operation')
  const rpc = rpcMethod(attributes)
  if (rpc !== undefined && route.template === `/${rpc}`) return rpc
  const method = methods.has(request.method) ? request.method : 'HTTP'
  return route.template === '' ? method : `${method} ${route.template}`
}

/** No header but `User-Agent`, and nothing of the query: any other may be a credential. */
export function exchangeAttributes(x: Exchange): Record<string, AttributeValue> {
  const { request, route, principal, status } = x
  const isKnown = methods.has(request.method)
  const { address, port } = hostParts(request.host)
  return {
    'http.request.method': isKnown ? request.method : '_OTHER',
    'http.request.method_original': isKnown ? undefined : request.method,
    'url.scheme': request.scheme,
    'url.path': request.path,
    'http.route': route.template === '' ? undefined : route.template,
    'http.response.status_code': status === 0 ? undefined : status,
    'http.request.body.size': x.requestBytes,
    'http.response.body.size': x.responseBytes,
    'server.address': address,
    'server.port': port,
    'client.address': request.clientAddress,
    'user_agent.original': x.header('user-agent'),
    'user.id': principal?.id,
    'gateway.consumer': principal?.consumer,
    'gateway.protocol': route.protocol,
    'gateway.route': route.id,
    'gateway.request_id': x.id,
    ...ownAttributes(x),
  }
}

/** Of a call by gRPC or Connect; `method`: `library.v1.LibraryService/GetBook`. */
export function rpcAttributes(
  system: string,
  method: string,
  status: number | undefined,
): Record<string, AttributeValue> {
  return {
    'rpc.system.name': system,
    'rpc.method': method,
    'rpc.response.status_code': status === undefined ? undefined : rpcStatusName(status),
  }
}

/** `NOT_FOUND` for 5 (`google/rpc/code.proto`). */
export function rpcStatusName(code: number): string {
  return codeNames.get(code) ?? 'UNKNOWN'
}

/** What was noted of it on the way, which the log has too. The log's names for RPC are those from before conventions 1.38. */
function ownAttributes({ attributes }: Exchange): Record<string, AttributeValue> {
  const rpc = rpcMethod(attributes)
  const own = Object.entries(attributes).filter(([name]) => !name.startsWith('rpc.'))
  if (rpc === undefined) return Object.fromEntries(own)
  const system = attributes['rpc.system'] === 'connect_rpc' ? 'connectrpc' : 'grpc'
  const { 'rpc.grpc.status_code': code } = attributes
  return {
    ...Object.fromEntries(own),
    ...rpcAttributes(system, rpc, typeof code === 'number' ? code : undefined),
  }
}

function rpcMethod({ 'rpc.service': service, 'rpc.method': method }: Exchange['attributes']) {
  return service === undefined || method === undefined ? undefined : `${service}/${method}`
}

function hostParts(host: string): { address: string | undefined; port: number | undefined } {
  const [, address, port] = /^(.*?)(?::(\d+))?$/.exec(host) ?? []
  return { address: address || undefined, port: port === undefined ? undefined : Number(port) }
}

const codeNames: ReadonlyMap<number, string> = new Map([
  [0, 'OK'],
  ...Object.entries(grpcNumbers).map(([code, number]): [number, string] => [
    number,
    code === 'canceled' ? 'CANCELLED' : code.toUpperCase(),
  ]),
])

/** RFC 9110 and RFC 5789: what `http.request.method` may be. */
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'CONNECT', 'TRACE'])
