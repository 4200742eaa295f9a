import type { Migration } from './migration.ts'

export const identity: Migration = {
  name: '004-identity',
  async up(db) {
    await db.schema
      .createTable('api_keys')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('hash', 'text', (column) => column.notNull().unique())
      .addColumn('consumer', 'text', (column) => column.notNull())
      .addColumn('record', 'text', (column) => column.notNull())
      .addColumn('changed', 'bigint', (column) => column.notNull())
      .execute()
    await db.schema.createIndex('api_keys_changed').on('api_keys').column('changed').execute()
    await db.schema
      .createTable('key_uses')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('last_at', 'bigint', (column) => column.notNull())
      .execute()
    await db.schema
      .createTable('revocations')
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('version', 'bigint', (column) => column.notNull())
      .addColumn('expires_at', 'bigint')
      .addColumn('entry', 'text', (column) => column.notNull())
      .addColumn('changed', 'bigint', (column) => column.notNull())
      .execute()
    await db.schema.createIndex('revocations_changed').on('revocations').column('changed').execute()
  },
}
