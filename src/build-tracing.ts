import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { Build } from './build.ts'
import { clientTls } from './client-tls.ts'
import type { Plugin } from './core/plugin.ts'
import { counter } from './plugins/instruments.ts'
import { SpanExporter } from './tracing/span-exporter.ts'
import { Tracing } from './tracing/tracing.ts'
import { version } from './version.ts'

/** What makes traces, to go before all plugins; none where the configuration has no collector: then tracing costs nothing. */
export function buildTracing(build: Build): readonly Plugin[] {
  const { tracing } = build.config.observability
  if (tracing === undefined || tracing.otlp.url === '' || !build.isOnline) return []
  const { otlp, sample, parentBased, serviceName, resource, batch } = tracing
  const { metrics, log, keep } = build.host(undefined)
  const spans = counter(metrics, {
    name: 'gateway_tracing_spans_total',
    help: 'Spans by what became of them.',
    labelNames: ['result'],
  })
  const exporter = new SpanExporter({
    url: tracesUrl(otlp.url),
    headers: otlp.headers,
    tls: clientTls(otlp.tls),
    compression: otlp.compression,
    timeoutMs: otlp.timeout,
    delayMs: batch.delay,
    batchSpans: batch.spans,
    queueSpans: batch.queue,
    resource: {
      'service.name': serviceName,
      'service.version': version,
      'service.instance.id': keep('tracing:instance', randomUUID),
      'host.name': hostname(),
      ...resource,
    },
    version,
    log,
    counts: {
      exported: spans.labels('exported'),
      dropped: spans.labels('dropped'),
      refused: spans.labels('refused'),
    },
  })
  const made = new Tracing({ share: sample, parentBased }, exporter)
  build.onFree(() => made.close())
  return [made]
}

/** The path of the specification where none is given (OTLP, "OTLP/HTTP Request"). */
function tracesUrl(text: string): string {
  const url = new URL(text)
  if (url.pathname === '/') url.pathname = '/v1/traces'
  return url.href
}
