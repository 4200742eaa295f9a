import type { Exchange, UpstreamCall } from '../core/exchange.ts'
import type { Plugin } from '../core/plugin.ts'
import { isSampled, tellTrace } from '../core/trace-context.ts'
import type { SpanExporter } from './span-exporter.ts'
import { countSpans, spansOf } from './spans.ts'

/** Which exchanges are traced. */
export interface Sampling {
  /** Share of the traces, 0 to 1. */
  readonly share: number
  /** Whether the caller decides for the traces that it began. */
  readonly parentBased: boolean
}

/** Decides which exchanges are traced, tells upstreams, and makes spans of those that have settled. It is the first of all plugins. */
export class Tracing implements Plugin {
  readonly #sampling: Sampling
  readonly #exporter: SpanExporter

  constructor(sampling: Sampling, exporter: SpanExporter) {
    this.#sampling = sampling
    this.#exporter = exporter
  }

  onRequest(x: Exchange): void {
    this.#decide(x)
  }

  onCall(x: Exchange, call: UpstreamCall): void {
    tellTrace(x.trace, call)
  }

  onSettled(x: Exchange): void {
    // What was refused before its plugins ran is not decided yet.
    if (this.#decide(x) && this.#exporter.hasRoom(countSpans(x))) this.#exporter.add(spansOf(x))
  }

  async close(): Promise<void> {
    await this.#exporter.close()
  }

  /** The same each time. */
  #decide({ trace }: Exchange): boolean {
    const { share, parentBased } = this.#sampling
    if (trace.parentId === undefined || !parentBased)
      trace.flags = isSampled(trace.traceId, share) ? '01' : '00'
    return trace.flags === '01'
  }
}
