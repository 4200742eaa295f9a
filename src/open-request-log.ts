import { hostname } from 'node:os'
import { Counter, Gauge, type Registry } from 'prom-client'
import { type RequestLogConfig, usualRetention } from './config/request-log-keys.ts'
import type { Logger } from './core/log.ts'
import { EntryRing } from './request-log/entry-ring.ts'
import { RequestLog } from './request-log/request-log.ts'
import { StoredLog } from './request-log/stored-log.ts'
import type { Database } from './store/database.ts'

export interface RequestLogParts {
  readonly metrics: Registry
  readonly log: Logger
  now(): number
  /** Undefined: the gateway is only looked into. */
  readonly database?: Database | undefined
}

/** The request log of a gateway, with its metrics. */
export function openRequestLog(
  { entries, bytes, database: isStored, retention = usualRetention }: RequestLogConfig,
  { metrics, log: logger, now, database }: RequestLogParts,
): RequestLog {
  const ring = new EntryRing({ entries, bytes, node: hostname() })
  const stored =
    isStored && database !== undefined
      ? new StoredLog(ring, { database, retention, log: logger, now })
      : undefined
  const log = new RequestLog({ ring, isOn: entries > 0, stored, now })
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
