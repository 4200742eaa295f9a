import { GatewayError, toGatewayError } from '../core/error.ts'
import { Attempt } from './attempt.ts'
import type { Call, Transport } from './call.ts'
import type { Endpoint } from './endpoint.ts'
import { outcomeOf } from './outcome.ts'

/**
 * Makes a call: lets plugins see it, chooses an endpoint, sends, and tries again elsewhere where that is safe. The same for a REST
 * request, each subgraph fetch and each gRPC call. Rejects with the GatewayError of the last attempt.
 */
export async function dispatch<C extends Call, Reply>(
  call: C,
  transport: Transport<C, Reply>,
): Promise<Reply> {
  const { exchange } = call
  exchange.calls.push(call)
  const { onCall } = exchange.hooks
  for (let i = 0; i < onCall.length; i++) onCall[i]?.(exchange, call)
  exchange.whenGone(() => call.end(new GatewayError('CLIENT_GONE', 'The client closed the connection.')))
  const { totalTimeoutMs } = call.upstream.options
  const clock =
    totalTimeoutMs > 0 && !call.streamed ? setTimeout(() => call.expire(), totalTimeoutMs) : undefined
  try {
    return await attempts(call, transport)
  } catch (thrown) {
    call.error = toGatewayError(thrown)
    if (call.durationMs === 0) call.durationMs = performance.now() - call.startedAt
    throw call.error
  } finally {
    clearTimeout(clock)
  }
}

/** The attempts of a call, until one is answered or there is no use in another. */
async function attempts<C extends Call, Reply>(call: C, transport: Transport<C, Reply>): Promise<Reply> {
  const { exchange, upstream } = call
  const { retry } = upstream
  retry.began()
  let last: Endpoint | undefined
  for (;;) {
    if (call.ended !== undefined) throw call.ended
    const endpoint = upstream.pick(exchange, last)
    if (endpoint === undefined) throw noTarget(upstream.name)
    try {
      if (retry.hedges(call)) return await race(call, transport, endpoint)
      return await attempt(new Attempt(call, endpoint), transport)
    } catch (thrown) {
      const error = toGatewayError(thrown)
      // An idle connection that the upstream closed: the same target gets the call on another one (RFC 9112 section 9.3.1).
      if (retry.repeats(call, error)) continue
      if (!retry.takes(call, error)) throw error
    }
    last = endpoint
    await pause(call)
  }
}

/** One attempt, and what it says of its endpoint. */
async function attempt<C extends Call, Reply>(
  one: Attempt<C>,
  transport: Transport<C, Reply>,
): Promise<Reply> {
  const { call, endpoint } = one
  call.beginAttempt(one)
  endpoint.begin()
  const limitMs = call.upstream.retry.attemptLimitMs(one)
  if (limitMs > 0) one.limit(limitMs)
  let failure: GatewayError | undefined
  try {
    const reply = await transport.send(one)
    one.answered()
    return reply
  } catch (thrown) {
    failure = one.cancelled ?? toGatewayError(thrown)
    throw failure
  } finally {
    one.over()
    endpoint.end()
    note(one, failure)
  }
}

/** Asks a second endpoint when the first has not answered for a while; the first answer counts, or the last failure. */
function race<C extends Call, Reply>(
  call: C,
  transport: Transport<C, Reply>,
  first: Endpoint,
): Promise<Reply> {
  const { exchange, upstream } = call
  return new Promise((resolve, reject) => {
    let running = 0
    const run = (endpoint: Endpoint): void => {
      running++
      attempt(new Attempt(call, endpoint), transport).then(done, (error: unknown) => {
        if (--running > 0) return
        clearTimeout(timer)
        reject(error)
      })
    }
    const done = (reply: Reply): void => {
      clearTimeout(timer)
      resolve(reply)
    }
    const timer = setTimeout(() => {
      const second = upstream.retry.mayHedge(call) ? upstream.pick(exchange, first) : undefined
      if (second !== undefined && second !== first && upstream.retry.hedged()) run(second)
    }, upstream.retry.hedgeAfterMs)
    run(first)
  })
}

/** Resolves when it is time for the next attempt, or when there is no use in one. */
function pause(call: Call): Promise<void> {
  const delayMs = call.waitMs ?? call.upstream.retry.delayMs(call.attempts)
  call.waitMs = undefined
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, Math.max(0, Math.min(delayMs, call.deadlineAt - performance.now())))
    call.exchange.whenGone(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/** What the end of an attempt says of its endpoint. */
function note(one: Attempt, error: GatewayError | undefined): void {
  const { call, endpoint, fault, lost } = one
  const outcome = lost ? 'neutral' : outcomeOf(fault, error)
  const late = lost || error?.reason === 'UPSTREAM_TIMEOUT'
  if (error === undefined || late) endpoint.latency.observe(one.latencyMs, performance.now())
  const { ejection } = call.upstream
  if (outcome === 'ok') ejection.succeeded(endpoint)
  else if (outcome === 'failed') ejection.failed(endpoint, fault ?? error?.reason ?? '', one.startedAt)
}

function noTarget(name: string): GatewayError {
  return new GatewayError('NO_HEALTHY_TARGET', `No target of upstream "${name}" is healthy.`, {
    reached: false,
    retryAfterMs: 1_000,
  })
}
