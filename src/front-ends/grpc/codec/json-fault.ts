/** What is wrong with a JSON text, and at which byte of it. Only the codec sees it: callers get a GatewayError with the path. */
export class JsonFault extends Error {
  override readonly name = 'JsonFault'
  readonly offset: number
  /** `syntax`: it is no JSON, or nested too deep; `value`: it is, but not for these fields. */
  readonly kind: 'syntax' | 'value'

  constructor(kind: JsonFault['kind'], offset: number, detail: string) {
    super(detail)
    this.kind = kind
    this.offset = offset
  }
}

/** The answer of a backend is no such message. Only the codec's caller says so to anyone. */
export class WireFault extends Error {
  override readonly name = 'WireFault'
}
