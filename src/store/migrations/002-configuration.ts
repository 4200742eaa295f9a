import type { Migration } from './migration.ts'

export const configuration: Migration = {
  name: '002-configuration',
  async up(db) {
    await db.schema
      .createTable('config_versions')
      .addColumn('version', 'bigint', (column) => column.primaryKey())
      .addColumn('author', 'text', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('message', 'text', (column) => column.notNull())
      .addColumn('origin', 'text', (column) => column.notNull())
      .addColumn('file_hash', 'text')
      .addColumn('document', 'text', (column) => column.notNull())
      .addColumn('changes', 'text', (column) => column.notNull())
      .execute()
    await db.schema
      .createTable('nodes')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('started_at', 'bigint', (column) => column.notNull())
      .addColumn('seen_at', 'bigint', (column) => column.notNull())
      .addColumn('version', 'bigint', (column) => column.notNull())
      .addColumn('wanted', 'bigint', (column) => column.notNull())
      .addColumn('problem', 'text')
      .execute()
  },
}
