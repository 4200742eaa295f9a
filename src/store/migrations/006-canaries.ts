import type { Migration } from './migration.ts'

export const canaries: Migration = {
  name: '006-canaries',
  async up(db) {
    await db.schema
      .createTable('canary_states')
      .addColumn('place', 'text', (column) => column.notNull())
      .addColumn('fingerprint', 'text', (column) => column.notNull())
      .addColumn('step', 'integer', (column) => column.notNull())
      .addColumn('phase', 'text', (column) => column.notNull())
      .addColumn('since', 'bigint', (column) => column.notNull())
      .addColumn('reason', 'text')
      .addPrimaryKeyConstraint('canary_states_key', ['place', 'fingerprint'])
      .execute()
  },
}
