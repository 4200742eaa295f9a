import type { Migration } from './migration.ts'

export const requestLog: Migration = {
  name: '007-request-log',
  async up(db) {
    await db.schema
      .createTable('request_log')
      .addColumn('at', 'bigint', (column) => column.notNull())
      .addColumn('span_id', 'text', (column) => column.notNull())
      .addColumn('trace_id', 'text', (column) => column.notNull())
      .addColumn('request_id', 'text', (column) => column.notNull())
      .addColumn('node', 'text', (column) => column.notNull())
      .addColumn('protocol', 'text', (column) => column.notNull())
      .addColumn('route', 'text', (column) => column.notNull())
      .addColumn('method', 'text', (column) => column.notNull())
      .addColumn('path', 'text', (column) => column.notNull())
      .addColumn('status', 'integer', (column) => column.notNull())
      .addColumn('duration_ms', 'double precision', (column) => column.notNull())
      .addColumn('consumer', 'text')
      .addColumn('reason', 'text')
      .addColumn('upstreams', 'text', (column) => column.notNull())
      .addColumn('detail', 'text', (column) => column.notNull())
      // In the order of time: new rows come at its end, and the newest are read first. A batch that is written twice changes nothing.
      .addPrimaryKeyConstraint('request_log_key', ['at', 'span_id'])
      .execute()
    const index = (name: string, ...columns: string[]) =>
      db.schema.createIndex(`request_log_${name}`).on('request_log').columns(columns)
    await index('trace', 'trace_id').execute()
    await index('request', 'request_id').execute()
    await index('status', 'status', 'at').execute()
    await index('route', 'route', 'at').execute()
    await index('consumer', 'consumer', 'at').execute()
  },
}
