import type { Migration } from './migration.ts'

export const topics: Migration = {
  name: '001-topics',
  async up(db) {
    await db.schema
      .createTable('topics')
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('counter', 'bigint', (column) => column.notNull())
      .execute()
  },
}
