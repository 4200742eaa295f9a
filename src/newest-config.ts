import { comparedSide } from './compared-side.ts'
import { SeenFiles } from './config/seen-files.ts'
import type { Change } from './control/change.ts'
import { diffConfigs, summaryOf } from './control/diff-config.ts'
import { hashOf, type StoredVersion, type VersionStore } from './control/version-store.ts'
import type { Logger } from './core/log.ts'
import { messageOf } from './core/message-of.ts'
import type { LiveConfig } from './live-config.ts'
import { readText, type SourceOptions } from './source.ts'

export interface NewestConfigOptions {
  readonly source: SourceOptions
  readonly live: LiveConfig
  /** Undefined: versions are counted here and kept nowhere. */
  readonly store: VersionStore | undefined
  readonly log: Logger
  /** Unix time in milliseconds. */
  now(): number
}

/** How far back a start looks for a version that loads on this node. */
const maxStepsBack = 10
/** When a database that did not answer is asked again, twice as late each time: it may only have been slow, and then nobody says that it is back. */
const againMs = { first: 1_000, most: 30_000 }

/**
 * Has the newest version in the database run, on every node. The file becomes the newest when it changed since it was last applied. While the
 * database is gone, what runs goes on, and a file that changes is applied on this node alone until it can be stored.
 */
export class NewestConfig {
  readonly #options: NewestConfigOptions
  /** SHA-256 of the file that was applied last here. */
  #fileHash: string | undefined
  #unstored = false
  #againMs = againMs.first
  #again: NodeJS.Timeout | undefined
  /** The newest version that was tried; 0: none was. */
  #tried = 0

  constructor(options: NewestConfigOptions) {
    this.#options = options
  }

  /** Whether what runs waits to be stored. */
  get unstored(): boolean {
    return this.#unstored
  }

  /** The newest version that this node knows of, whether it loads or not. */
  get wanted(): number {
    return Math.max(this.#tried, this.#options.live.version)
  }

  /** Called once. Throws a ConfigError when nothing loads. */
  async start(): Promise<void> {
    const { source, store, live } = this.#options
    await live.inTurn(async () => {
      const files = new SeenFiles()
      const text = readText(source, files)
      const newest = await this.#newest()
      if (store === undefined) await live.run({ text, version: 1 }, files)
      else if (newest === 'gone') await this.#runAlone(text, files)
      else if (newest?.fileHash === hashOf(text)) await this.#runNewestThatLoads(newest, files)
      else if (!(await this.#storeFile(text, newest, files))) await this.#runAlone(text, files)
      live.watch(files)
    })
    store?.onNews(() => void this.#follow())
  }

  /**
   * Reads everything anew: a file that changed becomes the next version; otherwise the newest version is built again, with what else it depends on.
   * Resolves when that is decided, true when it was applied.
   */
  reload(): Promise<boolean> {
    const { source, store, live } = this.#options
    return live.inTurn(() =>
      live.attempt(async (files) => {
        const text = readText(source, files)
        const newest = await this.#newest()
        if (store === undefined) await live.run({ text, version: live.version + 1 }, files)
        else if (newest === 'gone') await this.#runAlone(text, files)
        else if (newest?.fileHash === hashOf(text)) await live.run(newest, files)
        else if (!(await this.#storeFile(text, newest, files))) await this.#runAlone(text, files)
      }),
    )
  }

  /** A version runs that was written by the API. */
  took(version: number): void {
    this.#tried = version
  }

  /** Without the database: a new text of the file, on this node until it can be stored. */
  async #runAlone(text: string, files: SeenFiles): Promise<void> {
    const { live } = this.#options
    const isNew = hashOf(text) !== this.#fileHash
    await live.run({ text: isNew ? text : live.running.text, version: live.version }, files)
    this.#fileHash = hashOf(text)
    this.#unstored ||= isNew
    this.#followAgain()
  }

  #followAgain(): void {
    if (this.#options.live.isFrozen) return
    clearTimeout(this.#again)
    this.#again = setTimeout(() => void this.#follow(), this.#againMs).unref()
    this.#againMs = Math.min(2 * this.#againMs, againMs.most)
  }

  #settled(): void {
    this.#unstored = false
    this.#againMs = againMs.first
  }

  /** The newest version may be another one, or the database may be back. */
  #follow(): Promise<void> {
    const { live, source } = this.#options
    return live.inTurn(async () => {
      const newest = await this.#newest()
      if (newest === 'gone') return this.#followAgain()
      const isKnown =
        newest !== undefined && (newest.version === live.version || newest.version === this.#tried)
      if (isKnown && !this.#unstored) return this.#settled()
      await live.attempt(async (files) => {
        const text = readText(source, files)
        if (newest !== undefined && (!this.#unstored || newest.fileHash === hashOf(text))) {
          this.#tried = newest.version
          await live.run(newest, files)
          this.#fileHash = newest.fileHash ?? undefined
          this.#settled()
        } else if (!(await (this.#unstored ? this.#storeFile(text, newest, files) : this.#storeAgain(files))))
          this.#followAgain()
      })
    })
  }

  /** Makes a text of the file the next version. What it overwrites is named first. */
  #storeFile(text: string, newest: StoredVersion | undefined, files: SeenFiles): Promise<boolean> {
    const { file } = this.#options.source
    const message =
      file === undefined ? 'the configuration that the gateway was made with' : `the file ${file}`
    return this.#store({ text, fileHash: hashOf(text), author: 'file', message }, newest, files)
  }

  /** What runs is not in the database any more. */
  #storeAgain(files: SeenFiles): Promise<boolean> {
    const { text } = this.#options.live.running
    const fileHash = this.#fileHash ?? null
    const message = 'what ran when the database had lost it'
    return this.#store({ text, fileHash, author: 'gateway', message }, undefined, files)
  }

  /** Stores it and has it run; false: the database does not take it, and nothing has changed here. */
  async #store(
    made: Pick<StoredVersion, 'text' | 'fileHash' | 'author' | 'message'>,
    newest: StoredVersion | undefined,
    files: SeenFiles,
  ): Promise<boolean> {
    const { store, live, log, now } = this.#options
    const { text, fileHash } = made
    for (let base = newest; ; ) {
      const version = (base?.version ?? 0) + 1
      const prepared = await live.prepare({ text, version }, files)
      const after = comparedSide(prepared.source)
      const before = base && (await live.sideOf(base.text))
      const changes = diffConfigs(before ?? { data: {}, config: undefined }, after)
      await this.#nameOverwritten(changes, base)
      const added = await store
        ?.add({ ...made, version, createdAt: now(), origin: 'file', changes })
        .catch((error: unknown) => {
          const level = this.#unstored ? 'debug' : 'error'
          log[level]({ error: messageOf(error) }, 'the configuration could not be stored')
          return 'gone' as const
        })
      if (added === true) {
        live.take(prepared)
        this.#fileHash = fileHash ?? undefined
        this.#settled()
        return true
      }
      await prepared.drop()
      const first = added === 'gone' ? added : await this.#newest()
      if (first === 'gone') return false
      base = first
      if (base?.fileHash !== fileHash) continue
      // Another node with the same file was first.
      await live.run(base, files)
      this.#settled()
      return true
    }
  }

  /** Changes that were made by the API since the file was last applied, and that the file now takes back. */
  async #nameOverwritten(changes: readonly Change[], base: StoredVersion | undefined): Promise<void> {
    const { store, live, log } = this.#options
    if (base === undefined || base.origin === 'file') return
    const last = await store?.newestOfFile().catch(() => undefined)
    if (last === undefined) return
    const [from, to] = [await live.sideOf(last.text), await live.sideOf(base.text)]
    const made = new Set(summaryOf(diffConfigs(from, to)).map(nameOf))
    const overwritten = summaryOf(changes)
      .map(nameOf)
      .filter((name) => made.has(name))
    if (overwritten.length === 0) return
    const message = `the file takes the place of changes that were made by the API; "gateway rollback ${base.version}" brings them back`
    log.warn({ overwritten, version: base.version }, message)
  }

  async #runNewestThatLoads(newest: StoredVersion, files: SeenFiles): Promise<void> {
    const { log, store, live } = this.#options
    this.#fileHash = newest.fileHash ?? undefined
    this.#tried = newest.version
    let first: unknown
    for (let back = 0; back < maxStepsBack && back < newest.version; back++) {
      const version = newest.version - back
      const draft = back === 0 ? newest : await store?.get(version).catch(() => undefined)
      if (draft === undefined) continue
      try {
        await live.run(draft, files)
        if (first !== undefined) live.refuse(first)
        return
      } catch (error) {
        first ??= error
        const problems = messageOf(error).split('\n')
        log.error({ version, problems }, 'a version of the configuration does not load on this node')
      }
    }
    throw first
  }

  async #newest(): Promise<StoredVersion | undefined | 'gone'> {
    try {
      return await this.#options.store?.newest()
    } catch {
      return 'gone'
    }
  }
}

/** `routes/users` */
function nameOf(summary: string): string {
  return summary.slice(0, summary.lastIndexOf(' '))
}
