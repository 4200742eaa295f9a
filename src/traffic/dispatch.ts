import { clientGone, type GatewayError, toGatewayError } from '../core/error.ts'
import { Attempt } from './attempt.ts'
import type { Call, Transport } from './call.ts'
import { enterCircuit, noTarget, settleAttempt, settleCall } from './circuit.ts'
import type { Endpoint } from './endpoint.ts'
import { fallbackOf } from './fallback.ts'
import { outcomeOf } from './outcome.ts'

/**
 * Makes a call: lets plugins see it, chooses an endpoint, sends, and tries again elsewhere where that is safe. The same for a REST
 * request, each subgraph fetch and each gRPC call. Rejects with the GatewayError of the last attempt.
 */
export function dispatch<C extends Call, Reply>(call: C, transport: Transport<C, Reply>): Promise<Reply> {
  announce(call)
  return dispatchAnnounced(call, transport)
}

/** The beginning of {@link dispatch}: the exchange takes note of the call, and plugins add their headers. For whoever has to know these before it is sent. */
export function announce(call: Call): void {
  const { exchange } = call
  exchange.calls.push(call)
  const { onCall } = exchange.hooks
  for (let i = 0; i < onCall.length; i++) onCall[i]?.(exchange, call)
}

/** The rest of {@link dispatch}. */
export async function dispatchAnnounced<C extends Call, Reply>(
  call: C,
  transport: Transport<C, Reply>,
): Promise<Reply> {
  const { exchange } = call
  exchange.whenGone((stopped) => call.end(stopped ?? clientGone()))
  const { totalTimeoutMs } = call.upstream.options
  const clock =
    totalTimeoutMs > 0 && !call.streamed ? setTimeout(() => call.expire(), totalTimeoutMs) : undefined
  try {
    for (;;) {
      try {
        return await released(call, transport)
      } catch (thrown) {
        const error = toGatewayError(thrown)
        const next = fallbackOf(call, error)
        if (next === undefined) throw failed(call, error)
        call.turnTo(next, error)
      }
    }
  } finally {
    clearTimeout(clock)
    call.copy?.over()
  }
}

/** A call of a place with a canary counts for its release, and comes back from it when it fails there. */
function released<C extends Call, Reply>(call: C, transport: Transport<C, Reply>): Promise<Reply> {
  const { canary } = call.destination
  if (canary?.isSide(call) !== true) return gated(call, transport)
  return canary.carry(call, () => gated(call, transport))
}

/** A call waits for its turn where its upstream takes so many at a time only. */
function gated<C extends Call, Reply>(call: C, transport: Transport<C, Reply>): Promise<Reply> {
  const { gate, circuit } = call.upstream
  // What the circuit refuses does not wait for that.
  if (gate === undefined || circuit?.admits(performance.now()) === false) return guarded(call, transport)
  return gate.pass(call, () => {
    // Its turn is what it waited for, not the upstream.
    call.startedAt = performance.now()
    return guarded(call, transport)
  })
}

function failed(call: Call, error: GatewayError): GatewayError {
  call.error = error
  if (call.durationMs === 0) call.durationMs = performance.now() - call.startedAt
  return error
}

/** The attempts of a call that the circuit of its upstream lets through. */
function guarded<C extends Call, Reply>(call: C, transport: Transport<C, Reply>): Promise<Reply> {
  return call.upstream.circuit === undefined ? attempts(call, transport) : settled(call, transport)
}

/** The same where there is a circuit, which is told what came of it. */
async function settled<C extends Call, Reply>(call: C, transport: Transport<C, Reply>): Promise<Reply> {
  enterCircuit(call)
  let failure: GatewayError | undefined
  try {
    return await attempts(call, transport)
  } catch (thrown) {
    failure = toGatewayError(thrown)
    throw failure
  } finally {
    settleCall(call, failure)
  }
}

/** Sends the copy of a call, once: the exchange does not take note of it, and neither does its client. Rejects as {@link dispatch} does. */
export async function dispatchCopy<C extends Call, Reply>(
  copy: C,
  transport: Transport<C, Reply>,
): Promise<Reply> {
  const endpoint = copy.upstream.pickForCopy(copy.exchange)
  if (endpoint === undefined) throw noTarget(copy.upstream)
  copy.turned()
  return await attempt(new Attempt(copy, endpoint), transport)
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
    if (endpoint === undefined) throw noTarget(upstream)
    try {
      const reply = retry.hedges(call)
        ? await race(call, transport, endpoint)
        : await attempt(new Attempt(call, endpoint), transport)
      if (last !== undefined) retry.counts.retries[outcomeOf(call.fault, undefined)]++
      return reply
    } catch (thrown) {
      const error = toGatewayError(thrown)
      // An idle connection that the upstream closed: the same target gets the call on another one (RFC 9112 section 9.3.1).
      if (retry.repeats(call, error)) continue
      if (last !== undefined) retry.counts.retries[outcomeOf(call.fault, error)]++
      if (!retry.takes(call, error)) throw error
      exchange.attributes['gateway.retried'] = `${call.target}: ${call.fault ?? error.reason}`
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
  one.pass = endpoint.begin()
  const limitMs = call.upstream.retry.attemptLimitMs(one)
  if (limitMs > 0) one.limit(limitMs)
  if (!call.offered) {
    call.offered = true
    call.destination.mirror?.take(call, transport)
  }
  let failure: GatewayError | undefined
  try {
    const reply = await transport.send(one)
    one.answered()
    return reply
  } catch (thrown) {
    failure = one.cancelled ?? toGatewayError(thrown)
    throw failure
  } finally {
    one.over(failure)
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
    let failure: unknown
    const run = (endpoint: Endpoint): void => {
      running++
      const one = new Attempt(call, endpoint)
      attempt(one, transport).then(done, (error: unknown) => {
        // One that lost may end after the winner has failed, and has nothing to say.
        if (!one.lost) failure = error
        if (--running > 0) return
        clearTimeout(timer)
        reject(failure)
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
  const delayMs = call.waitMs ?? call.upstream.retry.delayMs(call.attempts.length)
  call.waitMs = undefined
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, Math.max(0, Math.min(delayMs, call.deadlineAt - performance.now())))
    call.onEnd(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/** What the end of an attempt says of its endpoint. */
function note(one: Attempt, error: GatewayError | undefined): void {
  const { call, endpoint, fault, lost } = one
  if (!lost) call.fault = fault
  const outcome = lost ? 'neutral' : outcomeOf(fault, error)
  const late = lost || error?.reason === 'UPSTREAM_TIMEOUT'
  const { latencyMs } = one
  // 0: it answered a request that was not whole, which says nothing of how fast it is.
  if (latencyMs > 0 && (error === undefined || late)) endpoint.latency.observe(latencyMs, performance.now())
  const why = fault ?? error?.reason ?? ''
  const { ejection } = call.upstream
  if (outcome === 'ok') ejection.succeeded(endpoint)
  else if (outcome === 'failed') ejection.failed(endpoint, why, one.startedAt)
  settleAttempt(one, outcome, why)
}
