/** A span in the JSON of OTLP 1.x (opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding"): ids in hexadecimal, 64-bit numbers as text. */
export interface OtlpSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly traceState?: string
  /** The flags of W3C, and whether the parent is of another process (`SpanFlags` in `trace.proto`). */
  readonly flags: number
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly KeyValue[]
  readonly status?: { readonly code: number; readonly message?: string }
}

/** One attribute of a span or a resource. */
export interface KeyValue {
  readonly key: string
  readonly value:
    | { readonly stringValue: string }
    | { readonly intValue: string }
    | { readonly doubleValue: number }
    | { readonly boolValue: boolean }
}

export type AttributeValue = string | number | boolean | undefined

/** `SpanKind` of `trace.proto`. */
export const spanKind = { server: 2, client: 3 } as const

/** Attributes as OTLP has them, without those that are undefined; long texts are cut. */
export function keyValues(attributes: Readonly<Record<string, AttributeValue>>): KeyValue[] {
  const pairs: KeyValue[] = []
  for (const key in attributes) {
    const value = attributes[key]
    if (typeof value === 'string') pairs.push({ key, value: { stringValue: shortText(value) } })
    else if (typeof value === 'boolean') pairs.push({ key, value: { boolValue: value } })
    else if (Number.isInteger(value)) pairs.push({ key, value: { intValue: String(value) } })
    else if (value !== undefined) pairs.push({ key, value: { doubleValue: value } })
  }
  return pairs
}

/** Cut, and without halves of characters, which protobuf has no bytes for. */
export function shortText(text: string): string {
  const short = text.length > maxText ? `${text.slice(0, maxText - 1)}…` : text
  return short.toWellFormed()
}

/** Unix time in milliseconds, with a fraction, as nanoseconds. */
export function unixNano(ms: number): string {
  const whole = Math.floor(ms)
  return `${whole}${String(Math.floor((ms - whole) * 1_000_000)).padStart(6, '0')}`
}

const maxText = 1_024
