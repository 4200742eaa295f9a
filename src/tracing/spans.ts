import type { AttemptRecord, CallRecord } from '../core/call-record.ts'
import type { Exchange } from '../core/exchange.ts'
import { randomHex } from '../core/random-id.ts'
import { type AttributeValue, keyValues, type OtlpSpan, shortText, spanKind, unixNano } from './otlp-span.ts'
import { attemptOutcome, exchangeOutcome, type Outcome } from './outcome.ts'
import { exchangeAttributes, exchangeName, rpcAttributes } from './server-attributes.ts'

/**
 * The spans of an exchange that has settled: its own, one for each call, one for each attempt. Names and attributes are those of the semantic
 * conventions of OpenTelemetry (HTTP, GraphQL, RPC); that calls have spans around those of their attempts is gRPC's way (gRFC A72).
 */
export function spansOf(x: Exchange): OtlpSpan[] {
  const { request, trace } = x
  const now = performance.now()
  const common = {
    traceId: trace.traceId,
    ...(trace.state === undefined ? undefined : { traceState: trace.state }),
  }
  const toUnix = (ms: number): string => unixNano(request.receivedAt + ms - request.startedAt)
  const spans: OtlpSpan[] = []
  const add = ({ parent, spanId, flags = 0, startedAt, endedAt, outcome, ...span }: SpanParts): void => {
    spans.push({
      ...common,
      spanId,
      ...(parent === undefined ? undefined : { parentSpanId: parent }),
      flags: sampled | parentIsKnown | flags,
      name: span.name,
      kind: span.kind,
      startTimeUnixNano: toUnix(startedAt),
      endTimeUnixNano: toUnix(Math.max(startedAt, endedAt)),
      attributes: keyValues({ ...span.attributes, 'error.type': outcome?.type }),
      ...(outcome === undefined ? undefined : { status: statusOf(outcome) }),
    })
  }
  add({
    parent: trace.parentId,
    spanId: trace.spanId,
    flags: trace.parentId === undefined ? 0 : parentIsRemote,
    name: exchangeName(x),
    kind: spanKind.server,
    startedAt: request.startedAt,
    endedAt: now,
    attributes: exchangeAttributes(x),
    outcome: exchangeOutcome(x),
  })
  for (const call of x.calls) {
    const spanId = randomHex(8)
    add({ ...callParts(call, now), parent: trace.spanId, spanId })
    call.attempts.forEach((attempt, index) => {
      add({ ...attemptParts(call, attempt, index, now), parent: spanId })
    })
  }
  return spans
}

/** How many spans {@link spansOf} makes of an exchange. */
export function countSpans({ calls }: Exchange): number {
  return calls.reduce((count, { attempts }) => count + 1 + attempts.length, 1)
}

interface SpanParts {
  readonly parent: string | undefined
  readonly spanId: string
  readonly flags?: number
  readonly name: string
  readonly kind: number
  /** `performance.now()` */
  readonly startedAt: number
  readonly endedAt: number
  readonly attributes: Readonly<Record<string, AttributeValue>>
  /** Undefined: nothing failed. */
  readonly outcome: Outcome | undefined
}

function callParts(call: CallRecord, now: number): Omit<SpanParts, 'parent' | 'spanId'> {
  const { method, upstreamName, attempts, startedAt, durationMs, error, canary, shared } = call
  const isRpc = method.includes('/')
  const ends = attempts.map(({ endedAt }) => endedAt || now)
  const answer = attempts.findLast(({ lost }) => !lost)
  return {
    // HTTP has no template of what is called to name: that which is called is an upstream.
    name: isRpc ? method : `${method} ${upstreamName}`,
    kind: spanKind.client,
    startedAt: Math.min(startedAt, ...attempts.map((attempt) => attempt.startedAt)),
    endedAt: Math.max(startedAt + durationMs, ...ends),
    attributes: {
      ...methodAttributes(call, answer?.status),
      'gateway.upstream': upstreamName,
      'gateway.canary': canary,
      'gateway.shared': shared,
    },
    outcome: attemptOutcome({ isRpc, status: answer?.status, error }),
  }
}

function attemptParts(
  call: CallRecord,
  attempt: AttemptRecord,
  index: number,
  now: number,
): Omit<SpanParts, 'parent'> {
  const { target, traceparent, startedAt, endedAt, status, error, lost } = attempt
  const { method, upstreamName } = call
  const isRpc = method.includes('/')
  const { hostname, port, protocol } = new URL(target)
  return {
    // What the target was told, so that its spans are below this one.
    spanId: traceparent === '' ? randomHex(8) : traceparent.slice(36, 52),
    name: method,
    kind: spanKind.client,
    startedAt,
    endedAt: endedAt || now,
    attributes: {
      ...methodAttributes(call, status),
      'server.address': hostname,
      'server.port': Number(port) || (protocol === 'https:' ? 443 : 80),
      'http.request.resend_count': isRpc || index === 0 ? undefined : index,
      'gateway.upstream': upstreamName,
      'gateway.attempt': index + 1,
      'gateway.attempt.lost': lost || undefined,
    },
    // That another one was faster is no failure.
    outcome: lost ? undefined : attemptOutcome({ isRpc, status, error }),
  }
}

function methodAttributes(
  { method }: CallRecord,
  status: number | undefined,
): Record<string, AttributeValue> {
  if (method.includes('/')) return rpcAttributes('grpc', method, status)
  return { 'http.request.method': method, 'http.response.status_code': status }
}

function statusOf({ message }: Outcome): NonNullable<OtlpSpan['status']> {
  return message === undefined ? { code: failed } : { code: failed, message: shortText(message) }
}

/** `STATUS_CODE_ERROR` */
const failed = 2
const sampled = 0x01
/** `SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK` and `SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK` */
const parentIsKnown = 0x100
const parentIsRemote = 0x200
