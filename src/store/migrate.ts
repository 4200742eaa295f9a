import { type Kysely, sql } from 'kysely'
import type { Engine } from './engine.ts'
import { migrations } from './migrations/all.ts'
import type { Tables } from './tables.ts'

/** Brings the tables up to date: all steps that are missing, or none. Nodes that start at once take turns. */
export async function migrate(db: Kysely<Tables>, { kind, lockMigrations }: Engine): Promise<void> {
  await db.transaction().execute(async (trx) => {
    if (lockMigrations !== undefined) await sql.raw(lockMigrations).execute(trx)
    // A table of nobody else's business: it is in no type.
    await sql`create table if not exists migrations (name text primary key, at bigint not null)`.execute(trx)
    const { rows } = await sql<{ name: string }>`select name from migrations`.execute(trx)
    const done = new Set(rows.map(({ name }) => name))
    for (const { name, up } of migrations) {
      if (done.has(name)) continue
      await up(trx as unknown as Kysely<never>, kind)
      await sql`insert into migrations (name, at) values (${name}, ${Date.now()})`.execute(trx)
    }
  })
}
