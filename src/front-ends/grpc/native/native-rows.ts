import { GatewayError } from '../../../core/error.ts'
import type { FrontEnd } from '../../../core/front-end.ts'
import type { Row } from '../../../core/route.ts'
import type { Descriptors, RpcMethod } from '../descriptors.ts'
import type { ServiceOptions } from '../front-end.ts'
import type { RpcTransport } from '../rpc-transport.ts'
import { serveNative } from './serve-native.ts'
import { wireFormat } from './wire-format.ts'

export interface NativeRowOptions {
  readonly descriptors: Descriptors
  readonly transport: RpcTransport
  readonly messageBytes: number
  readonly frontEnd: FrontEnd
}

/** The rows that clients of gRPC and gRPC-Web call a service by: `/package.Service/Method`, and one for methods that there are not. */
export function nativeRows(service: ServiceOptions, options: NativeRowOptions): Row[] {
  const { descriptors, transport, messageBytes, frontEnd } = options
  const row = (id: string, origin: string, serve: Row['serve']): Row => ({
    id,
    protocol: 'grpc',
    template: `/${id}`,
    policy: service.policy,
    methods: ['POST'],
    hosts: [],
    headers: [],
    query: [],
    priority: 0,
    encodedSlash: false,
    frontEnd,
    origin,
    serve,
  })
  const rows = descriptors.methodsOf(service.name).map((method) => {
    const route = {
      method,
      transport,
      messageBytes,
      upstream: service.upstream,
      timeoutMs: service.timeoutMs ?? defaultTimeout(service, method),
      hiddenHeaders: service.hiddenHeaders ?? none,
    }
    return row(method.path.slice(1), method.origin, (x) => serveNative(x, route))
  })
  return [
    ...rows,
    row(`${service.name}/*`, `service "${service.name}"`, (x) => {
      if (wireFormat(x) === undefined)
        throw new GatewayError('ROUTE_NOT_FOUND', 'No route matches this path.')
      throw new GatewayError('NOT_IMPLEMENTED', `${service.name} has no such method.`)
    }),
  ]
}

function defaultTimeout({ upstream }: ServiceOptions, { desc }: RpcMethod): number {
  return desc.methodKind === 'unary' ? upstream.options.requestTimeoutMs : 0
}

const none: ReadonlySet<string> = new Set()
