import type { WebSocket } from 'ws'
import { clientGone, type GatewayError, toGatewayError } from '../../../core/error.ts'
import type { HttpExchange } from '../../../core/http-exchange.ts'
import { dispatch } from '../../../traffic/dispatch.ts'
import { acceptSocket } from '../../accept-socket.ts'
import { watchSocket } from '../../watch-socket.ts'
import { bindsRaw, elementBinder } from '../bind-request.ts'
import type { RpcStream } from '../channel.ts'
import type { RpcRoute } from '../rpc-route.ts'
import { prepareCall } from '../rpc-route.ts'
import { type RpcStatus, statusOf, statusOfError } from '../rpc-status.ts'
import { SocketSource } from './socket-source.ts'

/**
 * Serves one exchange by one call of any streaming kind over a WebSocket: one JSON message in each text message, both ways. Closed with
 * 1000 after success; an error is the last message, `{"error": google.rpc.Status}`, before 1008 where the client is at fault, else 1011.
 */
export async function serveSocket(x: HttpExchange, route: RpcRoute): Promise<void> {
  const { binding, rendering, registry, bind } = route
  const { methodKind } = binding.method.desc
  const source = new SocketSource(x, {
    bind: elementBinder(x, binding, bind),
    single: methodKind === 'server_streaming',
    bodiless: binding.body === undefined,
    raw: bindsRaw(binding),
  })
  let failure: GatewayError | undefined
  let paused = false
  const pause = (stream: RpcStream): void => {
    paused = true
    stream.pause()
    x.upgrade?.socket.once('drain', () => {
      paused = false
      stream.resume()
    })
  }
  let socket: WebSocket | undefined
  const relay = (bytes: Uint8Array, stream?: RpcStream): void => {
    if (socket === undefined || failure !== undefined) return
    try {
      if (!send(x, socket, rendering.render(bytes).body) && stream !== undefined && !paused) pause(stream)
    } catch (thrown) {
      failure = toGatewayError(thrown)
      stream?.cancel()
    }
  }
  const onMessage = methodKind === 'client_streaming' ? undefined : relay
  const call = await prepareCall(x, route, { source, ...(onMessage === undefined ? {} : { onMessage }) })
  let over = false
  x.upgrade?.socket.once('close', () => {
    // Before the exchange settles: who was still to be answered has left.
    if (!over) x.error ??= clientGone()
  })
  socket = await acceptSocket(x, { maxMessageBytes: bind.messageBytes })
  source.attach(socket)
  if (x.upgrade !== undefined) watchSocket(socket, x.upgrade.socket, route.socketPingMs)
  try {
    const { message, end } = await dispatch(call, route.transport)
    if (message !== undefined && end.code === 0) relay(message)
    if (failure !== undefined) throw failure
    x.attributes['rpc.grpc.status_code'] = end.code
    if (end.code !== 0) closeWith(x, socket, { status: statusOf(end, registry), closeCode: 1011 })
    else socket.close(1000)
  } catch (thrown) {
    const error = failure ?? toGatewayError(thrown)
    x.error ??= error
    const status = statusOfError(x, error)
    x.attributes['rpc.grpc.status_code'] = status.code
    closeWith(x, socket, { status, closeCode: error.entry.status < 500 ? 1008 : 1011 })
  }
  over = true
  // The client's own close is still to be read, also of a call that never began.
  socket.resume()
}

/** False when the client reads slower than we send. */
function send(x: HttpExchange, socket: WebSocket, body: string | Uint8Array): boolean {
  x.responseBytes += Buffer.byteLength(body)
  socket.send(body)
  return x.upgrade?.socket.writableNeedDrain !== true
}

function closeWith(
  x: HttpExchange,
  socket: WebSocket,
  { status, closeCode }: { readonly status: RpcStatus; readonly closeCode: number },
): void {
  // Closed already: by the client, or for a message that was too large (1009).
  if (socket.readyState !== socket.OPEN) return
  send(x, socket, JSON.stringify({ error: status }))
  socket.close(closeCode)
}
