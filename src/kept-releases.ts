import { hash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Logger } from './core/log.ts'
import type { Database } from './store/database.ts'
import type { Tables } from './store/tables.ts'
import { TopicReader } from './store/topic-reader.ts'
import { type Phase, phases, type Release } from './traffic/canary/release.ts'
import type { ReleaseState } from './traffic/canary/release-state.ts'

const retryMs = 1_000
/** How long the state of a canary is remembered that is no longer configured so. */
const rememberMs = 30 * 86_400_000

/**
 * Keeps where the releases of canaries stand, for the next start and for other nodes: what one node does, by itself or by hand, all do. Where two move a
 * release at the same time, a stop holds over a step forward, and else the first one.
 */
export class KeptReleases {
  readonly #database: Database
  readonly #log: Logger
  readonly #reader: TopicReader
  /** What the database has, by {@link keyOf}. */
  readonly #kept = new Map<string, ReleaseState>()
  /** Those of configurations that ran once, or were only tried, are nobody else's any more. */
  readonly #releases = new Map<string, WeakRef<Release>>()
  readonly #keys = new WeakMap<Release, string>()
  readonly #moved = new Map<string, Release>()
  #writing: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(database: Database, log: Logger) {
    this.#database = database
    this.#log = log
    this.#reader = new TopicReader(database, {
      topic: 'canaries',
      read: () => this.#read(),
      trouble: () => {},
    })
  }

  /** Resolves when it is known where releases stood, or cannot be for now. */
  async start(): Promise<void> {
    await this.#reader.start()
  }

  /** Has a new release go on where one of the same place and configuration stood. */
  follow(release: Release, configuration: unknown): void {
    const key = keyOf(release.place, hash('sha256', JSON.stringify(configuration)))
    this.#releases.set(key, new WeakRef(release))
    this.#keys.set(release, key)
    const state = this.#kept.get(key)
    if (state !== undefined) release.restore(state)
    release.onMove(() => {
      this.#moved.set(key, release)
      void this.#write()
    })
  }

  /** These run from now on: when one of them began is kept, unless another node was first, so that its first step is not held anew after a restart. */
  began(releases: Iterable<Release>): void {
    for (const release of releases) {
      const key = this.#keys.get(release)
      if (key !== undefined && !this.#kept.has(key)) this.#moved.set(key, release)
    }
    if (this.#moved.size > 0) void this.#write()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#reader.close()
    await this.#write()
    clearTimeout(this.#timer)
  }

  #write(): Promise<void> {
    clearTimeout(this.#timer)
    this.#writing = this.#writing
      .then(async () => {
        for (const [key, release] of this.#moved) await this.#writeOne(key, release)
      })
      .catch(() => {
        if (!this.#closed) this.#timer = setTimeout(() => void this.#write(), retryMs).unref()
      })
    return this.#writing
  }

  async #writeOne(key: string, release: Release): Promise<void> {
    const { db, topics } = this.#database
    const [place = '', fingerprint = ''] = key.split('\n')
    const ours = release.state
    const theirs = await db.transaction().execute(async (trx) => {
      await topics.bump(trx, 'canaries')
      const rows = trx.selectFrom('canary_states').selectAll().where('place', '=', place)
      const row = await rows.where('fingerprint', '=', fingerprint).executeTakeFirst()
      const isNews = row !== undefined && row.since !== this.#kept.get(key)?.since
      if (isNews && ours.phase === 'progressing') return stateOf(row)
      const { step, phase, since, reason = null } = ours
      await trx
        .insertInto('canary_states')
        .values({ place, fingerprint, step, phase, since, reason })
        .onConflict((conflict) =>
          conflict.columns(['place', 'fingerprint']).doUpdateSet({ step, phase, since, reason }),
        )
        .execute()
      const old = trx.deleteFrom('canary_states').where('place', '=', place)
      await old
        .where('fingerprint', '!=', fingerprint)
        .where('since', '<', since - rememberMs)
        .execute()
      return undefined
    })
    this.#kept.set(key, theirs ?? ours)
    // It may have moved on meanwhile.
    if (!isDeepStrictEqual(release.state, ours)) return await this.#writeOne(key, release)
    this.#moved.delete(key)
    if (theirs !== undefined) this.#restore(release, theirs)
  }

  async #read(): Promise<void> {
    const rows = await this.#database.db.selectFrom('canary_states').selectAll().execute()
    for (const row of rows) {
      const key = keyOf(row.place, row.fingerprint)
      if (this.#moved.has(key)) continue
      const state = stateOf(row)
      this.#kept.set(key, state)
      const release = this.#releases.get(key)?.deref()
      if (release !== undefined && !isDeepStrictEqual(release.state, state)) this.#restore(release, state)
    }
    for (const [key, held] of this.#releases) if (held.deref() === undefined) this.#releases.delete(key)
  }

  #restore(release: Release, state: ReleaseState): void {
    release.restore(state)
    const { phase, step, reason } = release.status()
    const fields = { 'gateway.canary.place': release.place, phase, step, reason }
    this.#log.info(fields, 'canary goes on as another node has it')
  }
}

function stateOf({ step, phase, since, reason }: Tables['canary_states']): ReleaseState {
  const known = (phases as readonly string[]).includes(phase) ? (phase as Phase) : 'paused'
  return { step, phase: known, since, reason: reason ?? undefined }
}

/** No place has a line break. */
function keyOf(place: string, fingerprint: string): string {
  return `${place}\n${fingerprint}`
}
