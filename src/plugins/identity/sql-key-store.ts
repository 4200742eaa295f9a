import type { Transaction } from 'kysely'
import { batches } from '../../store/batches.ts'
import type { Database } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { TopicReader } from '../../store/topic-reader.ts'
import type { KeyRecord } from './key-record.ts'
import type { KeyChange, KeyNews, KeyStore } from './key-store.ts'

/** Rows that are read or written at once. */
const pageSize = 2_000

/**
 * Managed keys in the database, shared by all gateways that use it. Each hears of changes by their topic and reads the rows that it has not
 * seen. While the database is gone, what was read last holds.
 */
export class SqlKeyStore implements KeyStore {
  readonly #database: Database
  readonly #reader: TopicReader
  #news: KeyNews | undefined
  /** The count of the topic up to which all was told; -1: nothing yet. */
  #seen = -1
  /** The ids of the keys that were told. */
  readonly #ids = new Set<string>()

  /** @param database stays the caller's. */
  constructor(database: Database) {
    this.#database = database
    this.#reader = new TopicReader(database, {
      topic: 'keys',
      read: () => this.#read(),
      trouble: (what) => this.#news?.trouble(what),
    })
  }

  async start(news: KeyNews): Promise<void> {
    this.#news = news
    await this.#reader.start()
  }

  async change(changes: readonly KeyChange[], max: number): Promise<'done' | 'stale' | 'full'> {
    const { db, topics } = this.#database
    try {
      await db.transaction().execute(async (trx) => {
        // First, so that all who change keys take turns.
        const changed = await topics.bump(trx, 'keys')
        await makeSureOfRoom(trx, { made: changes.filter(({ before }) => before === undefined).length, max })
        for (const change of changes) await make(trx, change, changed)
      })
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      if (error.why === 'stale') await this.#reader.read()
      return error.why
    }
    await this.#reader.read()
    return 'done'
  }

  async noteUses(uses: ReadonlyMap<string, number>): Promise<void> {
    for (const page of batches(uses, pageSize)) {
      await this.#database.db
        .insertInto('key_uses')
        .values(page.map(([id, last_at]) => ({ id, last_at })))
        .onConflict((conflict) =>
          conflict
            .column('id')
            .doUpdateSet((row) => ({ last_at: row.ref('excluded.last_at') }))
            .whereRef('excluded.last_at', '>', 'key_uses.last_at'),
        )
        .execute()
    }
  }

  async lastUses(ids: readonly string[]): Promise<readonly number[]> {
    const found = new Map<string, number>()
    for (const page of batches(ids, pageSize)) {
      const rows = await this.#database.db
        .selectFrom('key_uses')
        .selectAll()
        .where('id', 'in', page)
        .execute()
      for (const { id, last_at } of rows) found.set(id, last_at)
    }
    return ids.map((id) => found.get(id) ?? 0)
  }

  close(): void {
    this.#reader.close()
  }

  async #read(): Promise<void> {
    const counter = await this.#counter()
    // Fewer than were seen: it is another database, or an old state of this one.
    if (this.#seen === -1 || counter < this.#seen) return await this.#readAll(counter)
    if (counter === this.#seen) return
    const changed = new Map<string, KeyRecord>()
    const { db } = this.#database
    for (;;) {
      const last = [...changed.keys()].at(-1) ?? ''
      const rows = await db
        .selectFrom('api_keys')
        .select(['id', 'record'])
        .where('changed', '>', this.#seen)
        .where('id', '>', last)
        .orderBy('id')
        .limit(pageSize)
        .execute()
      for (const { id, record } of rows) changed.set(id, JSON.parse(record) as KeyRecord)
      if (rows.length < pageSize) break
    }
    const { count } = await db
      .selectFrom('api_keys')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    const known = this.#ids.union(changed)
    // Rows that are gone leave nothing to be read.
    if (count !== known.size) return await this.#readAll(counter)
    for (const id of changed.keys()) this.#ids.add(id)
    this.#news?.some(changed)
    this.#seen = counter
  }

  /** @param counter that of before: what is changed meanwhile is read once more. */
  async #readAll(counter: number): Promise<void> {
    const records: KeyRecord[] = []
    for (;;) {
      const rows = await this.#database.db
        .selectFrom('api_keys')
        .select('record')
        .where('id', '>', records.at(-1)?.id ?? '')
        .orderBy('id')
        .limit(pageSize)
        .execute()
      for (const { record } of rows) records.push(JSON.parse(record) as KeyRecord)
      if (rows.length < pageSize) break
    }
    this.#ids.clear()
    for (const { id } of records) this.#ids.add(id)
    this.#news?.all(records)
    this.#seen = counter
  }

  async #counter(): Promise<number> {
    const row = await this.#database.db
      .selectFrom('topics')
      .select('counter')
      .where('name', '=', 'keys')
      .executeTakeFirst()
    return row?.counter ?? 0
  }
}

/** Takes a transaction back for a reason that is no error. */
class Refused extends Error {
  readonly why: 'stale' | 'full'

  constructor(why: 'stale' | 'full') {
    super(why)
    this.why = why
  }
}

async function makeSureOfRoom(
  trx: Transaction<Tables>,
  { made, max }: { readonly made: number; readonly max: number },
): Promise<void> {
  if (made === 0) return
  const { count } = await trx
    .selectFrom('api_keys')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  if (count + made > max) throw new Refused('full')
}

/** Each record as the one who changes it knows it. */
async function make(trx: Transaction<Tables>, { before, after }: KeyChange, changed: number): Promise<void> {
  const row = after && { hash: after.hash, consumer: after.consumer, record: JSON.stringify(after), changed }
  if (before === undefined) {
    if (after && row)
      await trx
        .insertInto('api_keys')
        .values({ id: after.id, ...row })
        .execute()
    return
  }
  const { id } = before
  const asKnown = JSON.stringify(before)
  if (row === undefined) {
    const deletion = trx.deleteFrom('api_keys').where('id', '=', id).where('record', '=', asKnown)
    if ((await deletion.executeTakeFirst()).numDeletedRows === 0n) throw new Refused('stale')
    await trx.deleteFrom('key_uses').where('id', '=', id).execute()
    return
  }
  const update = trx.updateTable('api_keys').set(row).where('id', '=', id).where('record', '=', asKnown)
  if ((await update.executeTakeFirst()).numUpdatedRows === 0n) throw new Refused('stale')
}
