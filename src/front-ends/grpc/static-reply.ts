import { type DescMethod, fromJson, type JsonValue, type Registry, toBinary } from '@bufbuild/protobuf'
import { toGatewayError } from '../../core/error.ts'
import { messageOf } from '../../core/message-of.ts'
import { dispatch } from '../../traffic/dispatch.ts'
import { isUnanswered } from '../../traffic/fallback.ts'
import type { RpcCall, RpcReply, RpcTransport } from './rpc-transport.ts'

/** Static answers of the unary methods of a service by name, as messages in JSON. */
export type StaticReplies = Readonly<Record<string, unknown>>

/** Encodes the static answer of a method; undefined when it has none. Throws an Error for JSON that is no such message. */
export function encodeReply(
  { name, output }: DescMethod,
  replies: StaticReplies,
  registry: Registry,
): Uint8Array | undefined {
  if (!Object.hasOwn(replies, name)) return undefined
  try {
    return toBinary(output, fromJson(output, replies[name] as JsonValue, { registry }))
  } catch (cause) {
    const why = messageOf(cause)
    throw new Error(`the fallback of ${name} is no ${output.typeName}: ${why}`, { cause })
  }
}

/** Throws an Error for answers that belong to no unary method. */
export function checkReplies(service: string, methods: readonly DescMethod[], replies: StaticReplies): void {
  for (const name of Object.keys(replies)) {
    const method = methods.find((one) => one.name === name)
    if (method === undefined) throw new Error(`${service} has no method ${name}, which has a fallback`)
    if (method.methodKind !== 'unary')
      throw new Error(`${service}.${name} is a stream, and has no static answer as a fallback`)
  }
}

/** Makes a call. Where nobody answers it is answered by `instead`, if there is one, as if the backend had. */
export async function callWithFallback(
  call: RpcCall,
  transport: RpcTransport,
  instead: Uint8Array | undefined,
): Promise<RpcReply> {
  try {
    return await dispatch(call, transport)
  } catch (thrown) {
    const error = toGatewayError(thrown)
    const { exchange: x, upstreamName } = call
    if (instead === undefined || !isUnanswered(error) || x.committed || x.gone) throw error
    x.attributes['gateway.fallback'] = `${upstreamName}: ${error.reason}`
    call.upstream.fallbacks++
    call.metadata = []
    return { message: instead, end: wellEnded }
  }
}

const wellEnded: RpcReply['end'] = {
  code: 0,
  message: '',
  trailers: [],
  fromBackend: true,
  failure: undefined,
  stale: false,
  reached: true,
}
