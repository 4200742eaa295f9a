import { GatewayError } from '../../../core/error.ts'
import type { FrontEnd } from '../../../core/front-end.ts'
import type { Row } from '../../../core/route.ts'
import { connectCodec } from '../connect/connect-codec.ts'
import { connectQuery, speaksConnect } from '../connect/connect-format.ts'
import { serveConnect } from '../connect/serve-connect.ts'
import type { Descriptors, RpcMethod } from '../descriptors.ts'
import { policyOf, timeoutOf } from '../method-options.ts'
import { postRow } from '../post-row.ts'
import type { RpcTransport } from '../rpc-transport.ts'
import type { ServiceOptions } from '../service-options.ts'
import { encodeReply } from '../static-reply.ts'
import { serveNative } from './serve-native.ts'
import { saysGrpc } from './wire-format.ts'

export interface NativeRowOptions {
  readonly descriptors: Descriptors
  readonly transport: RpcTransport
  readonly messageBytes: number
  readonly credentials: ReadonlySet<string>
  readonly frontEnd: FrontEnd
}

/**
 * The rows that clients of gRPC, gRPC-Web and Connect call a service by: `/package.Service/Method`, by GET too where that is
 * allowed, and one for methods that there are not.
 */
export function nativeRows(service: ServiceOptions, options: NativeRowOptions): Row[] {
  const { descriptors, transport, messageBytes, credentials, frontEnd } = options
  const { destination } = service
  const row = (own: Pick<Row, 'id' | 'policy' | 'origin' | 'serve'>): Row =>
    postRow({ ...own, frontEnd, leadsTo: destination.summary, expects: (x) => destination.expect(x) })
  const { registry } = descriptors
  const rows = descriptors.methodsOf(service.name).flatMap((method) => {
    const route = {
      method,
      transport,
      messageBytes,
      destination,
      timeoutMs: timeoutOf(service, method),
      instead: encodeReply(method.desc, service.replies ?? {}, registry),
      credentials,
      registry,
      codec: connectCodec(method.desc, { json: service.json, registry, messageBytes }),
    }
    const asConnect: Row['serve'] = (x) => serveConnect(x, route)
    const post = row({
      id: method.path.slice(1),
      policy: policyOf(service, method),
      origin: method.origin,
      serve: (x) => (speaksConnect(x) ? asConnect(x) : serveNative(x, route)),
    })
    return mayBeGet(method)
      ? [post, { ...post, methods: ['GET'], query: connectQuery, serve: asConnect }]
      : post
  })
  return [
    ...rows,
    row({
      id: `${service.name}/*`,
      policy: service.policy,
      origin: `service "${service.name}"`,
      serve: (x) => {
        if (!saysGrpc(x) && !speaksConnect(x))
          throw new GatewayError('ROUTE_NOT_FOUND', 'No route matches this path.')
        throw new GatewayError('NOT_IMPLEMENTED', `${service.name} has no such method.`)
      },
    }),
  ]
}

/**
 * All rows of a front-end: a path that both have (a method without an annotation) is one row, which the content type decides. Where two
 * bindings claim the path, or that of another method, all stay as they are, for the routing table to name them: a row has one policy.
 */
export function besideJson(json: readonly Row[], native: readonly Row[]): Row[] {
  const plain = json.filter(isPlainPost)
  const merged = new Set<Row>()
  const both = native.map((row): Row => {
    if (row.query === connectQuery) return row
    const [asJson, ...others] = plain.filter(({ template }) => template === row.template)
    if (asJson === undefined || others.length > 0 || asJson.id !== row.id) return row
    merged.add(asJson)
    const serve: Row['serve'] = (x) => (saysGrpc(x) || speaksConnect(x) ? row : asJson).serve(x)
    return { ...row, serve }
  })
  return [...json.filter((row) => !merged.has(row)), ...both]
}

/** Connect, "Unary-Get-Request": for unary methods that the proto declares free of side effects (IdempotencyLevel 1). */
function mayBeGet({ desc }: RpcMethod): boolean {
  return desc.methodKind === 'unary' && desc.idempotency === 1
}

function isPlainPost({ methods, headers }: Row): boolean {
  return methods.includes('POST') && headers.length === 0
}
