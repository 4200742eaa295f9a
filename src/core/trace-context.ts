import type { UpstreamCall } from './exchange.ts'
import { randomHex } from './random-id.ts'

/** Where an exchange stands in a distributed trace (W3C Trace Context, level 1). */
export interface TraceContext {
  /** 32 lower-case hexadecimal digits. */
  readonly traceId: string
  /** The caller's span, 16 digits; undefined when the trace starts here. */
  readonly parentId: string | undefined
  /** This exchange's own span, 16 digits. */
  readonly spanId: string
  /** `01`: it is sampled, by the caller or, where the gateway has traces of its own, by it. */
  flags: '00' | '01'
  /** The caller's `tracestate`, passed on as it came; undefined when there is none or the trace starts here. */
  readonly state: string | undefined
}

/**
 * The trace context of a request, from its `traceparent` and `tracestate` headers; a new trace when there is none or when it does
 * not follow the grammar (W3C Trace Context section 3.2.2: an invalid traceparent restarts the trace and tracestate is dropped).
 */
export function readTraceContext(
  traceparent: string | undefined,
  tracestate: string | undefined,
): TraceContext {
  const match = traceparent === undefined ? null : grammar.exec(traceparent)
  if (match !== null) {
    const [, version = '', traceId = '', parentId = '', flags = '', rest = ''] = match
    const known = version !== 'ff' && (version !== '00' || rest === '')
    if (known && traceId !== zeroTrace && parentId !== zeroSpan) {
      const state = tracestate !== undefined && tracestate.length <= 512 ? tracestate : undefined
      return { traceId, parentId, spanId: randomHex(8), flags: sampled(flags), state }
    }
  }
  return { traceId: randomHex(16), parentId: undefined, spanId: randomHex(8), flags: '00', state: undefined }
}

/** Tells an upstream of the trace, under a span of the call's own, unless it is told already. */
export function tellTrace(trace: TraceContext, call: UpstreamCall): void {
  if (call.traceparent !== '') return
  call.traceparent = outgoingTraceparent(trace)
  call.headers.push('traceparent', call.traceparent)
  if (trace.state !== undefined) call.headers.push('tracestate', trace.state)
}

/** Whether a trace is among a share of all, 0 to 1: the same traces in every place that is given the same share. */
export function isSampled(traceId: string, share: number): boolean {
  return Number.parseInt(traceId.slice(-8), 16) < share * 0x1_0000_0000
}

/** A `traceparent` for one call to an upstream: the same trace under a new parent id. */
export function outgoingTraceparent(trace: TraceContext): string {
  return `00-${trace.traceId}-${randomHex(8)}-${trace.flags}`
}

function sampled(flags: string): '00' | '01' {
  return (Number.parseInt(flags, 16) & 1) === 1 ? '01' : '00'
}

const grammar = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const zeroTrace = '0'.repeat(32)
const zeroSpan = '0'.repeat(16)
