import { GatewayError } from '../core/error.ts'
import type { Logger } from '../core/log.ts'
import type { Attempt } from './attempt.ts'
import { Breaker, type BreakerOptions } from './breaker.ts'
import type { Call } from './call.ts'
import { type Outcome, outcomeOf } from './outcome.ts'
import type { Upstream } from './upstream.ts'

/** `circuitBreaker` of an upstream. */
export interface CircuitOptions extends BreakerOptions {
  /** What has a circuit: the upstream as a whole, each target, or both. */
  readonly per: 'upstream' | 'target' | 'both'
}

/** The circuit of an upstream, or of one of its targets, if it is to have one; each change is logged. */
export function createCircuit(
  options: CircuitOptions | undefined,
  { upstream, target, log }: { readonly upstream: string; readonly target?: string; readonly log: Logger },
): Breaker | undefined {
  if (options === undefined || options.per === (target === undefined ? 'target' : 'upstream'))
    return undefined
  const fields = { 'gateway.upstream': upstream, ...(target !== undefined && { 'gateway.target': target }) }
  return new Breaker(options, (state, reason) => {
    const level = state === 'open' ? 'warn' : 'info'
    log[level]({ ...fields, reason }, `circuit is ${state.replace('_', ' ')}`)
  })
}

/** Has the circuit of the upstream let a call through. Throws CIRCUIT_OPEN. */
export function enterCircuit(call: Call): void {
  const { circuit, name } = call.upstream
  if (circuit === undefined) return
  const now = performance.now()
  call.pass = circuit.enter(now)
  if (call.pass === 0) throw circuitOpen(name, circuit.retryAfterMs(now))
}

/** Tells the circuit of the upstream how a call ended that it let through: what the client gets counts, after all attempts. */
export function settleCall(call: Call, error: GatewayError | undefined): void {
  // Without an attempt nothing is known of the upstream.
  const outcome = call.attempts.length === 0 ? 'neutral' : outcomeOf(call.fault, error)
  const now = performance.now()
  const answeredAt = call.durationMs === 0 ? now : call.startedAt + call.durationMs
  call.upstream.circuit?.settle(call.pass, {
    outcome,
    latencyMs: waitedMs(call, call.startedAt, answeredAt),
    why: call.fault ?? error?.reason ?? '',
    now,
  })
}

/** Tells the circuit of an endpoint how an attempt ended. `why`: what went wrong, for the log. */
export function settleAttempt(attempt: Attempt, outcome: Outcome, why: string): void {
  const { call, endpoint, pass } = attempt
  if (endpoint.circuit === undefined) return
  const latencyMs = call.streamed ? 0 : attempt.latencyMs
  endpoint.circuit.settle(pass, { outcome, latencyMs, why, now: performance.now() })
}

/** The head of an answer is there that decides for its call, so that a trial does not last as long as a download or a stream. */
export function settleTrials(attempt: Attempt): void {
  const { call, endpoint, fault } = attempt
  if (attempt.pass === 0 && call.pass === 0) return
  const now = performance.now()
  const outcome = outcomeOf(fault, undefined)
  const verdict = { outcome, latencyMs: waitedMs(call, attempt.startedAt, now), why: fault ?? '', now }
  attempt.pass = endpoint.circuit?.settleTrial(attempt.pass, verdict) ?? 0
  const latencyMs = waitedMs(call, call.startedAt, now)
  call.pass = call.upstream.circuit?.settleTrial(call.pass, { ...verdict, latencyMs }) ?? 0
}

/** How long the upstream let us wait. The time that a client takes for its body is not its fault; a stream may be silent. */
function waitedMs({ sentAt, streamed }: Call, from: number, to: number): number {
  return streamed ? 0 : Math.max(0, to - Math.max(from, sentAt))
}

/** Why an upstream has no target to ask. */
export function noTarget({ name, endpoints }: Upstream): GatewayError {
  const now = performance.now()
  const waits = endpoints.flatMap(({ circuit }) =>
    circuit?.admits(now) === false ? [circuit.retryAfterMs(now)] : [],
  )
  if (waits.length > 0) return circuitOpen(name, Math.min(...waits))
  const message =
    endpoints.length === 0
      ? `Upstream "${name}" has no targets: none were found yet.`
      : `No target of upstream "${name}" is healthy.`
  return new GatewayError('NO_HEALTHY_TARGET', message, { reached: false, retryAfterMs: 1_000 })
}

function circuitOpen(upstreamName: string, retryAfterMs: number): GatewayError {
  return new GatewayError(
    'CIRCUIT_OPEN',
    `Upstream "${upstreamName}" kept failing, and is not asked for a while.`,
    {
      reached: false,
      retryAfterMs,
    },
  )
}
