import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { Agent, request } from 'undici'
import type { Logger } from '../core/log.ts'
import { messageOf } from '../core/message-of.ts'
import { type AttributeValue, keyValues, type OtlpSpan } from './otlp-span.ts'

/** Where spans go, and how many wait on the way. */
export interface SpanExporterOptions {
  /** The whole URL: `http://127.0.0.1:4318/v1/traces`. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly tls: object
  readonly compression: 'none' | 'gzip'
  /** For one batch. */
  readonly timeoutMs: number
  /** How long spans wait for others that leave with them. */
  readonly delayMs: number
  readonly batchSpans: number
  readonly queueSpans: number
  /** Who speaks: attributes that all spans share. */
  readonly resource: Readonly<Record<string, AttributeValue>>
  /** Of this program. */
  readonly version: string
  readonly log: Logger
  readonly counts: SpanCounts
}

/** What became of spans; each is in one of these. */
export interface SpanCounts {
  /** The collector has taken it. */
  readonly exported: { value: number }
  /** There was no room for it, or no time at the end. */
  readonly dropped: { value: number }
  /** The collector does not want it. */
  readonly refused: { value: number }
}

/**
 * Sends spans to a collector by OTLP over HTTP, in JSON, a batch at a time, in the background. While the collector is away a bounded number waits
 * for it; what comes on top is dropped, and counted.
 */
export class SpanExporter {
  readonly #options: SpanExporterOptions
  readonly #agent: Agent
  readonly #envelope: readonly [string, string]
  /** Each a span as JSON text, the oldest first. */
  readonly #queue: string[] = []
  readonly #closing = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #sending: Promise<void> | undefined
  #isClosed = false
  /** Batches in a row that did not get through. */
  #failures = 0
  #trouble: string | undefined

  constructor(options: SpanExporterOptions) {
    this.#options = options
    this.#agent = new Agent({ connect: options.tls, connections: 1, maxResponseSize: 65_536 })
    const resource = JSON.stringify({ attributes: keyValues(options.resource) })
    const scope = JSON.stringify({ name: 'trivium', version: options.version })
    this.#envelope = [
      `{"resourceSpans":[{"resource":${resource},"scopeSpans":[{"scope":${scope},"spans":[`,
      ']}]}]}',
    ]
  }

  /** Whether so many more may wait. Those that may not are dropped: do not make them. */
  hasRoom(count: number): boolean {
    const { queueSpans, counts } = this.#options
    if (!this.#isClosed && this.#queue.length + count <= queueSpans) return true
    counts.dropped.value += count
    return false
  }

  add(spans: readonly OtlpSpan[]): void {
    for (const span of spans) this.#queue.push(JSON.stringify(span))
    const { batchSpans, delayMs } = this.#options
    // A collector that failed has its pause, however many wait.
    if (this.#queue.length >= batchSpans && this.#failures === 0) this.#send()
    else this.#sendIn(delayMs)
  }

  /** Sends what waits, once, within some seconds. The rest is dropped. */
  async close(): Promise<void> {
    this.#isClosed = true
    const limit = setTimeout(() => this.#closing.abort(new Error('the gateway ends')), closeMs)
    await this.#sending
    this.#failures = 0
    this.#send()
    await this.#sending
    clearTimeout(limit)
    clearTimeout(this.#timer)
    this.#options.counts.dropped.value += this.#queue.length
    this.#queue.length = 0
    await this.#agent.destroy()
  }

  #sendIn(delayMs: number): void {
    if (this.#timer !== undefined || this.#sending !== undefined) return
    this.#timer = setTimeout(() => this.#send(), delayMs)
    this.#timer.unref()
  }

  #send(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined
      if (this.#queue.length > 0 && !this.#isClosed) this.#sendIn(this.#pauseMs())
    })
  }

  /** Batch after batch, for as long as they get through. Never rejects. */
  async #sendAll(): Promise<void> {
    const { batchSpans, counts } = this.#options
    while (this.#queue.length > 0) {
      const batch = this.#queue.slice(0, batchSpans)
      try {
        const refused = Math.min(batch.length, await this.#post(batch))
        counts.exported.value += batch.length - refused
        counts.refused.value += refused
        this.#tell(refused === 0 ? undefined : `it refused ${refused} spans of a batch`)
      } catch (error) {
        this.#tell(messageOf(error))
        if (!(error instanceof BatchRefused)) {
          this.#failures++
          return
        }
        counts.refused.value += batch.length
      }
      this.#failures = 0
      this.#queue.splice(0, batch.length)
    }
  }

  /** Resolves with how many spans of the batch were refused. Throws BatchRefused when there is no use in sending it again, else any Error. */
  async #post(batch: readonly string[]): Promise<number> {
    const { url, headers, timeoutMs, compression } = this.#options
    const text = this.#envelope.join(batch.join(','))
    const zipped = compression === 'gzip'
    const { statusCode, body } = await request(url, {
      dispatcher: this.#agent,
      method: 'POST',
      headers: {
        ...headers,
        'content-type': 'application/json',
        ...(zipped ? { 'content-encoding': 'gzip' } : undefined),
      },
      body: zipped ? await promisify(gzip)(text) : text,
      signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), this.#closing.signal]),
    })
    const answer = await body.text()
    if (statusCode >= 200 && statusCode < 300) return rejectedSpans(answer)
    const said = `it answered with status ${statusCode}`
    throw retryable.has(statusCode) ? new Error(said) : new BatchRefused(said)
  }

  /** Once for each trouble. */
  #tell(trouble: string | undefined): void {
    if (trouble === this.#trouble) return
    const { log } = this.#options
    // Without its query, which may hold a credential.
    const { origin: collector } = new URL(this.#options.url)
    if (trouble === undefined) log.info({ collector }, 'the collector of traces takes spans again')
    else log.warn({ collector, trouble }, 'spans do not get to the collector of traces')
    this.#trouble = trouble
  }

  #pauseMs(): number {
    const { delayMs } = this.#options
    return this.#failures === 0 ? delayMs : Math.min(maxPauseMs, Math.max(delayMs, 500) * 2 ** this.#failures)
  }
}

/** The collector will not take it the next time either. */
class BatchRefused extends Error {}

/** `ExportTraceServiceResponse.partial_success` */
function rejectedSpans(answer: string): number {
  try {
    const { partialSuccess } = JSON.parse(answer) as { partialSuccess?: { rejectedSpans?: unknown } }
    return Number(partialSuccess?.rejectedSpans ?? 0) || 0
  } catch {
    // An empty answer, or one that is not JSON, has nothing to complain of.
    return 0
  }
}

/** OTLP, "Retryable Response Codes". */
const retryable: ReadonlySet<number> = new Set([429, 502, 503, 504])
const maxPauseMs = 60_000
/** So that a collector that is silent does not hold up the end. */
const closeMs = 2_000
