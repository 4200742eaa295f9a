import type { Logger } from '../../core/log.ts'
import { messageOf } from '../../core/message-of.ts'
import { answered } from '../../store/answered.ts'
import { batches } from '../../store/batches.ts'
import type { Database } from '../../store/database.ts'
import { TopicReader } from '../../store/topic-reader.ts'
import { readSpelled, spelled } from './revocation-script.ts'
import type { Entry, Revocations, Shared } from './revocations.ts'
import type { SharingStatus } from './shared-revocations.ts'

const pageSize = 1_000
const cleanMs = 60_000
/** So long is kept what has expired: no node whose clock is behind shall miss it. */
const keepMs = 300_000

/** Revocations in the database: they outlive the process, and all nodes that use it know them. */
export class SqlRevocations implements Shared {
  readonly #database: Database
  readonly #list: Revocations
  readonly #log: Logger
  readonly #reader: TopicReader
  readonly #unwritten = new Map<string, Entry>()
  readonly #cleaner: NodeJS.Timeout
  #inStepAt = 0
  #trouble: string | undefined = 'the list was not read yet'
  /** The count of the topic up to which all was read; -1: nothing yet. */
  #seen = -1

  constructor(database: Database, { list, log }: { readonly list: Revocations; readonly log: Logger }) {
    this.#database = database
    this.#list = list
    this.#log = log
    this.#reader = new TopicReader(database, {
      topic: 'revocations',
      read: () => this.#read(),
      trouble: (what) => this.#turn(what),
    })
    this.#cleaner = setInterval(() => void this.#clean(), cleanMs).unref()
    list.shareBy(this)
  }

  /** Resolves when the whole list was read, or after `waitMs`. */
  async start(waitMs: number): Promise<void> {
    await answered(this.#reader.start(), waitMs).catch(() => undefined)
    if (this.#inStepAt === 0)
      this.#log.error({}, 'the list of revocations could not be read: what was revoked before is accepted')
  }

  status(): SharingStatus {
    const { trouble = this.#trouble } = this.#database.status()
    // Who looks once a second and finds nothing new knows all.
    if (trouble === undefined) this.#inStepAt = Date.now()
    return { inStepAt: this.#inStepAt, trouble, unwritten: this.#unwritten.size }
  }

  close(): void {
    clearInterval(this.#cleaner)
    this.#reader.close()
  }

  async write(name: string, entry: Entry): Promise<boolean> {
    this.#unwritten.set(name, entry)
    try {
      await this.#send([[name, entry]])
      return true
    } catch (error) {
      this.#log.warn(
        { error: messageOf(error) },
        'a revocation holds on this node only, and until it ends, until the database is back',
      )
      void this.#reader.read()
      return false
    }
  }

  async #read(): Promise<void> {
    const { db } = this.#database
    const row = await db
      .selectFrom('topics')
      .select('counter')
      .where('name', '=', 'revocations')
      .executeTakeFirst()
    const counter = row?.counter ?? 0
    // Fewer than were seen: it is another database, or an old state of this one, and has to be told what is known.
    const isOther = counter < this.#seen
    if (isOther) for (const [name, entry] of this.#list.entries()) this.#unwritten.set(name, entry)
    const after = isOther ? -1 : this.#seen
    for (let last = '', more = counter !== after; more; ) {
      const rows = await db
        .selectFrom('revocations')
        .select(['name', 'entry'])
        .where('changed', '>', after)
        .where('name', '>', last)
        .orderBy('name')
        .limit(pageSize)
        .execute()
      // As JSON: not every text of a token can be stored as it is.
      for (const { name, entry } of rows) this.#take(JSON.parse(name) as string, entry)
      last = rows.at(-1)?.name ?? last
      more = rows.length === pageSize
    }
    this.#seen = counter
    for (const batch of batches([...this.#unwritten], pageSize)) await this.#send(batch)
  }

  #take(name: string, text: string): void {
    const entry = readSpelled(text)
    if (entry === undefined) this.#log.error({}, 'a revocation in the database cannot be read')
    else this.#list.merge(name, entry)
  }

  async #send(entries: readonly (readonly [string, Entry])[]): Promise<void> {
    const { db, topics } = this.#database
    await db.transaction().execute(async (trx) => {
      const changed = await topics.bump(trx, 'revocations')
      const rows = entries.map(([name, entry]) => ({
        name: JSON.stringify(name),
        version: entry.version,
        expires_at: Number.isFinite(entry.expiresAt) ? Math.ceil(entry.expiresAt) : null,
        entry: spelled(entry),
        changed,
      }))
      await trx
        .insertInto('revocations')
        .values(rows)
        .onConflict((conflict) =>
          conflict
            .column('name')
            .doUpdateSet((row) => ({
              version: row.ref('excluded.version'),
              expires_at: row.ref('excluded.expires_at'),
              entry: row.ref('excluded.entry'),
              changed: row.ref('excluded.changed'),
            }))
            .whereRef('excluded.version', '>', 'revocations.version'),
        )
        .execute()
    })
    for (const [name, entry] of entries) if (this.#unwritten.get(name) === entry) this.#unwritten.delete(name)
  }

  /** What fails now is done a minute later. */
  async #clean(): Promise<void> {
    const wentBefore = Date.now() - keepMs
    await this.#database.db
      .deleteFrom('revocations')
      .where('expires_at', '<', wentBefore)
      .execute()
      .catch(() => undefined)
  }

  #turn(trouble: string | undefined): void {
    const before = this.#trouble
    this.#trouble = trouble
    if (trouble === undefined) this.#inStepAt = Date.now()
    else if (before === undefined)
      this.#log.warn(
        { error: trouble },
        'revocations are not in step with the database: the last known list holds',
      )
  }
}
