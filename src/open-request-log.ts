import { hostname } from 'node:os'
import { Counter, Gauge, type Registry } from 'prom-client'
import type { RequestLogConfig } from './config/request-log-keys.ts'
import { RequestLog } from './request-log/request-log.ts'

/** The request log of a gateway, with its metrics. */
export function openRequestLog(
  { entries, bytes }: RequestLogConfig,
  { metrics, now }: { readonly metrics: Registry; readonly now: () => number },
): RequestLog {
  const log = new RequestLog({ entries, bytes, node: hostname(), now })
  const registers = [metrics]
  new Counter({
    name: 'gateway_request_log_entries_total',
    help: 'Exchanges that went into the request log.',
    registers,
    collect() {
      this.reset()
      this.inc(log.counts.entries)
    },
  })
  new Counter({
    name: 'gateway_request_log_dropped_total',
    help: 'Exchanges that never came into the database: `behind`, because it was away or slow for too long; `refused`, because it did not take them.',
    labelNames: ['reason'],
    registers,
    collect() {
      this.reset()
      for (const [reason, dropped] of Object.entries(log.counts.dropped)) this.inc({ reason }, dropped)
    },
  })
  new Gauge({
    name: 'gateway_request_log_pending',
    help: 'Exchanges that wait to be written into the database.',
    registers,
    collect() {
      this.set(log.counts.pending)
    },
  })
  return log
}
