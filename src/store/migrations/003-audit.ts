import { type CreateTableBuilder, sql } from 'kysely'
import type { Migration } from './migration.ts'

export const audit: Migration = {
  name: '003-audit',
  async up(db, kind) {
    await withCountedId(db.schema.createTable('audit_log'), kind)
      .addColumn('at', 'bigint', (column) => column.notNull())
      .addColumn('actor', 'text', (column) => column.notNull())
      .addColumn('address', 'text', (column) => column.notNull())
      .addColumn('action', 'text', (column) => column.notNull())
      .addColumn('method', 'text', (column) => column.notNull())
      .addColumn('path', 'text', (column) => column.notNull())
      .addColumn('outcome', 'text', (column) => column.notNull())
      .addColumn('status', 'integer', (column) => column.notNull())
      .addColumn('version', 'bigint')
      .addColumn('message', 'text')
      .addColumn('reason', 'text')
      .addColumn('changes', 'text', (column) => column.notNull())
      .addColumn('request_id', 'text', (column) => column.notNull())
      .execute()
    await db.schema.createIndex('audit_log_at').on('audit_log').column('at').execute()
  },
}

/** A column `id` that counts by itself and never gives a number twice. */
export function withCountedId(table: CreateTableBuilder<string>, kind: 'sqlite' | 'postgres') {
  return kind === 'sqlite'
    ? table.addColumn('id', sql`integer`, (column) => column.primaryKey().autoIncrement())
    : table.addColumn('id', 'bigint', (column) => column.primaryKey().generatedAlwaysAsIdentity())
}
