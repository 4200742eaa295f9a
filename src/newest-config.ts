import { createHash } from 'node:crypto'
import { comparedSide, comparedSideOf } from './compared-side.ts'
import { SeenFiles } from './config/seen-files.ts'
import type { Change } from './control/change.ts'
import { diffConfigs, summaryOf } from './control/diff-config.ts'
import type { StoredVersion, VersionStore } from './control/version-store.ts'
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

/**
 * Has the newest version in the database run, on every node. The file becomes the newest when it changed since it was last applied. While the
 * database is gone, what runs goes on, and a file that changes is applied on this node alone until it can be stored.
 */
export class NewestConfig {
  readonly #options: NewestConfigOptions
  /** SHA-256 of the file that was applied last here. */
  #fileHash: string | undefined
  #unstored = false
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
      if (store === undefined || newest === 'gone') {
        this.#unstored = store !== undefined
        await live.run({ text, version: store === undefined ? 1 : 0 }, files)
        this.#fileHash = hashOf(text)
      } else if (newest?.fileHash === hashOf(text)) await this.#runNewestThatLoads(newest, files)
      else await this.#storeFile(text, newest, files)
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
        else if (newest === 'gone') await this.#reloadAlone(text, files)
        else if (newest?.fileHash === hashOf(text)) await live.run(newest, files)
        else await this.#storeFile(text, newest, files)
      }),
    )
  }

  /** A version runs that was written by the API. */
  took(version: number): void {
    this.#tried = version
  }

  /** Without the database. */
  async #reloadAlone(text: string, files: SeenFiles): Promise<void> {
    const { live } = this.#options
    const isNew = hashOf(text) !== this.#fileHash
    await live.run({ text: isNew ? text : live.running.text, version: live.version }, files)
    this.#fileHash = hashOf(text)
    this.#unstored ||= isNew
  }

  /** The newest version may be another one, or the database may be back. */
  #follow(): Promise<void> {
    const { live, source } = this.#options
    return live.inTurn(async () => {
      const newest = await this.#newest()
      if (newest === 'gone') return
      const isKnown =
        newest !== undefined && (newest.version === live.version || newest.version === this.#tried)
      if (isKnown && !this.#unstored) return
      await live.attempt(async (files) => {
        const text = readText(source, files)
        if (newest !== undefined && (!this.#unstored || newest.fileHash === hashOf(text))) {
          this.#tried = newest.version
          await live.run(newest, files)
          this.#fileHash = newest.fileHash ?? undefined
        } else if (this.#unstored) await this.#storeFile(text, newest, files)
        else await this.#storeAgain(files)
        this.#unstored = false
      })
    })
  }

  /** Makes a text of the file the next version. What it overwrites is named first. */
  async #storeFile(text: string, newest: StoredVersion | undefined, files: SeenFiles): Promise<void> {
    const { file } = this.#options.source
    const message =
      file === undefined ? 'the configuration that the gateway was made with' : `the file ${file}`
    await this.#store({ text, fileHash: hashOf(text), author: 'file', message }, newest, files)
  }

  /** What runs is not in the database any more. */
  async #storeAgain(files: SeenFiles): Promise<void> {
    const { text } = this.#options.live.running
    const fileHash = this.#fileHash ?? null
    await this.#store(
      { text, fileHash, author: 'gateway', message: 'what ran when the database had lost it' },
      undefined,
      files,
    )
  }

  async #store(
    made: Pick<StoredVersion, 'text' | 'fileHash' | 'author' | 'message'>,
    newest: StoredVersion | undefined,
    files: SeenFiles,
  ): Promise<void> {
    const { source, store, live, log, now } = this.#options
    const { text, fileHash } = made
    for (let base = newest; ; ) {
      const version = (base?.version ?? 0) + 1
      const prepared = await live.prepare({ text, version }, files)
      const after = comparedSide(prepared.source)
      const before = base && (await comparedSideOf(base.text, source))
      const changes = diffConfigs(before ?? { data: {}, config: undefined }, after)
      await this.#nameOverwritten(changes, base)
      const added = await store
        ?.add({ ...made, version, createdAt: now(), origin: 'file', changes })
        .catch((error: unknown) => {
          log.error(
            { error: messageOf(error) },
            'the configuration could not be stored: it runs on this node alone',
          )
          this.#unstored = true
        })
      if (added !== false) {
        live.take(prepared)
        this.#fileHash = fileHash ?? undefined
        return
      }
      await prepared.drop()
      base = await store?.newest()
      // Another node with the same file was first.
      if (base?.fileHash === fileHash) return await live.run(base, files)
    }
  }

  /** Changes that were made by the API since the file was last applied, and that the file now takes back. */
  async #nameOverwritten(changes: readonly Change[], base: StoredVersion | undefined): Promise<void> {
    const { store, source, log } = this.#options
    if (base === undefined || base.origin === 'file') return
    const last = await store?.newestOfFile().catch(() => undefined)
    if (last === undefined) return
    const [from, to] = [await comparedSideOf(last.text, source), await comparedSideOf(base.text, source)]
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
      const draft = back === 0 ? newest : await store?.get(version)
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

/** SHA-256, by which a file is known. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
