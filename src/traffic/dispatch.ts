import { GatewayError, toGatewayError } from '../core/error.ts'
import type { Call, Transport } from './call.ts'
import type { Endpoint } from './endpoint.ts'

/**
 * Makes a call: lets plugins see it, chooses an endpoint, sends, and tries again elsewhere where that is safe. The same loop for a
 * REST request, each subgraph fetch and each gRPC call. Rejects with the GatewayError of the last attempt.
 */
export async function dispatch<C extends Call, Reply>(
  call: C,
  transport: Transport<C, Reply>,
): Promise<Reply> {
  const { exchange, upstream } = call
  exchange.calls.push(call)
  const { onCall } = exchange.hooks
  for (let i = 0; i < onCall.length; i++) onCall[i]?.(exchange, call)
  upstream.retry.began()
  let endpoint: Endpoint | undefined
  for (;;) {
    endpoint = upstream.pick(exchange, endpoint)
    if (endpoint === undefined) throw failed(call, noTarget(upstream.name))
    call.beginAttempt(endpoint.url)
    endpoint.begin()
    try {
      const reply = await transport.send(call, endpoint)
      call.headArrived()
      noteAnswer(call, endpoint)
      return reply
    } catch (thrown) {
      const error = toGatewayError(thrown)
      noteFailure(call, endpoint, error)
      if (!upstream.retry.takes(call, error)) throw failed(call, error)
    } finally {
      endpoint.end()
    }
    await pause(call)
    if (exchange.gone)
      throw failed(call, new GatewayError('CLIENT_GONE', 'The client closed the connection.'))
  }
}

/** Resolves when it is time for the next attempt, or when the client has left. */
function pause(call: Call): Promise<void> {
  const { retry } = call.upstream
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, retry.delayMs(call.attempts))
    call.exchange.whenGone(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/** What an answer says of the endpoint that it is of. */
function noteAnswer(call: Call, endpoint: Endpoint): void {
  endpoint.latency.observe(call.startedAt + call.durationMs - call.attemptAt, performance.now())
  const { ejection } = call.upstream
  if (call.fault === undefined) ejection.succeeded(endpoint)
  else ejection.failed(endpoint, call.fault)
}

/** What a failed attempt says of its endpoint: nothing when the client left, or when it is the gateway that failed. */
function noteFailure(call: Call, endpoint: Endpoint, error: GatewayError): void {
  const late = error.reason === 'UPSTREAM_TIMEOUT'
  const now = performance.now()
  if (late) endpoint.latency.observe(now - call.attemptAt, now)
  if (late || error.reason === 'CONNECT_TIMEOUT' || error.code === 'unavailable')
    call.upstream.ejection.failed(endpoint, call.fault ?? error.reason)
}

function failed(call: Call, error: GatewayError): GatewayError {
  call.error = error
  call.headArrived()
  return error
}

function noTarget(name: string): GatewayError {
  return new GatewayError('NO_HEALTHY_TARGET', `No target of upstream "${name}" is healthy.`, {
    reached: false,
    retryAfterMs: 1_000,
  })
}
