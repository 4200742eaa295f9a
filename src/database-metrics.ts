import { Counter, Gauge, type Registry } from 'prom-client'
import type { DatabaseState } from './admin/database-state.ts'

/** How it is with the database, for Prometheus. */
export function databaseMetrics(registry: Registry, status: () => Promise<DatabaseState | undefined>): void {
  const registers = [registry]
  new Gauge({
    name: 'gateway_database_up',
    help: 'Whether the database can be read and written (1) or not (0).',
    registers,
    async collect() {
      const database = await status()
      if (database !== undefined) this.set(database.trouble === undefined ? 1 : 0)
    },
  })
  new Counter({
    name: 'gateway_database_failures_total',
    help: 'Queries that came to nothing: refused while the database was away, not answered in time, failed.',
    labelNames: ['reason'],
    registers,
    async collect() {
      this.reset()
      for (const [reason, count] of Object.entries((await status())?.failures ?? {}))
        this.inc({ reason }, count)
    },
  })
}
