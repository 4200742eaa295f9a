import { toGatewayError } from '../../core/error.ts'
import type { HttpExchange } from '../../core/http-exchange.ts'
import { dispatch } from '../../traffic/dispatch.ts'
import { answerStatus } from './answer-status.ts'
import { replyMetadata } from './metadata.ts'
import { replyTrailers } from './reply-trailers.ts'
import { prepareCall, type RpcRoute } from './rpc-route.ts'
import { statusOf, statusOfError } from './rpc-status.ts'
import { StreamRelay } from './stream-relay.ts'

/**
 * Serves one exchange by one server-streaming call. The head is written with the first message, so that an error before it has
 * its HTTP status; an error after it is the last element, `{"error": google.rpc.Status}`.
 */
export async function serveStream(x: HttpExchange, route: RpcRoute): Promise<void> {
  const relay = new StreamRelay(x, route)
  const call = await prepareCall(x, route, {
    onMessage: (bytes, stream) => relay.message(bytes, { call, stream }),
  })
  try {
    const { end } = await dispatch(call, route.transport)
    x.attributes['rpc.grpc.status_code'] = end.code
    const trailers = replyTrailers(x, end.trailers, route.metadata)
    if (end.code === 0) relay.end(call, trailers)
    else if (x.committed) relay.failLate(statusOf(end, route.registry), trailers)
    else {
      const headers = replyMetadata(call.metadata, route.metadata)
      answerStatus(x, statusOf(end, route.registry), { headers, trailers })
    }
  } catch (thrown) {
    const error = relay.failure ?? toGatewayError(thrown)
    if (!x.committed) throw error
    if (x.res.writableEnded) return
    x.error ??= error
    const status = statusOfError(x, error)
    x.attributes['rpc.grpc.status_code'] = status.code
    relay.failLate(status, [])
  }
}
