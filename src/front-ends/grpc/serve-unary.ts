import type { HttpExchange } from '../../core/http-exchange.ts'
import { answerStatus } from './answer-status.ts'
import { replyMetadata } from './metadata.ts'
import { answerWhole, replyTrailers } from './reply-trailers.ts'
import { prepareCall, type RpcRoute } from './rpc-route.ts'
import { statusOf } from './rpc-status.ts'
import { callWithFallback } from './static-reply.ts'

/** Serves one exchange by one unary call: HTTP 200 with the answer as JSON, or the backend's status in JSON. */
export async function serveUnary(x: HttpExchange, route: RpcRoute): Promise<void> {
  const call = await prepareCall(x, route)
  const { message, end } = await callWithFallback(call, route.transport, route.instead)
  const headers = replyMetadata(call.metadata, route.metadata)
  const trailers = replyTrailers(x, end.trailers, route.metadata)
  x.attributes['rpc.grpc.status_code'] = end.code
  if (end.code !== 0) {
    answerStatus(x, statusOf(end, route.registry), { headers, trailers })
    return
  }
  const { contentType, body } = route.rendering.render(message ?? noBytes)
  headers.push('Content-Type', contentType)
  answerWhole(x, {
    status: 200,
    headers,
    trailers,
    body: typeof body === 'string' ? body : Buffer.from(body),
  })
}

const noBytes = new Uint8Array(0)
