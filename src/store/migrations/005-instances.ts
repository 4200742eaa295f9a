import type { Migration } from './migration.ts'

export const instances: Migration = {
  name: '005-instances',
  async up(db) {
    await db.schema
      .createTable('instances')
      .addColumn('service', 'text', (column) => column.notNull())
      .addColumn('url', 'text', (column) => column.notNull())
      .addColumn('weight', 'double precision', (column) => column.notNull())
      .addColumn('priority', 'double precision', (column) => column.notNull())
      .addColumn('ttl_ms', 'bigint', (column) => column.notNull())
      .addColumn('expires_at', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('instances_key', ['service', 'url'])
      .execute()
  },
}
