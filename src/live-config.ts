import { SeenFiles } from './config/seen-files.ts'
import { FileWatcher } from './config/watch.ts'
import type { Logger } from './core/log.ts'
import { messageOf } from './core/message-of.ts'
import type { Generations, Prepared } from './generations.ts'
import { type Source, type SourceOptions, sourceOf } from './source.ts'

export interface LiveConfigOptions {
  readonly source: SourceOptions
  readonly generations: Generations
  readonly log: Logger
  /** Told of each attempt after the first when it is decided. */
  onDecided(result: 'applied' | 'refused'): void
  /** A file that the configuration depends on has changed; undefined: files are not watched. */
  readonly onChange: (() => void) | undefined
}

/** A version of the configuration, wherever it comes from. */
export interface Draft {
  readonly version: number
  readonly text: string
}

/** A version that is checked and built, and does not run yet. */
export interface PreparedConfig extends Prepared, Draft {
  readonly source: Source
}

/** The configuration that runs, and how another one takes its place: one decision after the other, each as a whole or not at all. */
export class LiveConfig {
  readonly #options: LiveConfigOptions
  readonly #watcher: FileWatcher | undefined
  #running: Source | undefined
  #version = 0
  #refused: string | undefined
  #closed = false
  #deciding: Promise<unknown> = Promise.resolve()

  constructor(options: LiveConfigOptions) {
    this.#options = options
    this.#watcher = options.onChange && new FileWatcher(options.onChange)
  }

  /** What runs; throws before the first was taken. */
  get running(): Source {
    if (this.#running === undefined) throw new Error('the gateway has no configuration yet')
    return this.#running
  }

  /** Of what runs. 0: it came from the file while the database was gone. */
  get version(): number {
    return this.#version
  }

  /** Why the newest does not run here; undefined: it does. */
  get refused(): string | undefined {
    return this.#refused
  }

  /** One decision after the other. */
  inTurn<T>(decide: () => Promise<T>): Promise<T> {
    const decided = this.#deciding.then(decide)
    this.#deciding = decided.catch(() => undefined)
    return decided
  }

  /** Checks and builds a text, and notes in `files` what it depends on. Throws a ConfigError. */
  async prepare(
    { text, version }: Draft,
    files: SeenFiles,
    { forNews = false } = {},
  ): Promise<PreparedConfig> {
    const { source: options, generations } = this.#options
    const source = await sourceOf(text, options, files)
    const prepared = await generations.prepare(source, { version, forNews })
    return { ...prepared, source, text, version }
  }

  /** Lets it take over. Only in turn. */
  take({ source, version, take }: PreparedConfig): void {
    const { generations, log, onDecided } = this.#options
    const isFirst = this.#running === undefined
    take()
    this.#running = source
    this.#version = version
    this.#refused = undefined
    if (isFirst) return
    onDecided('applied')
    log.info({ 'gateway.config_version': version, build: generations.builds }, 'configuration applied')
    const keys = generations.waitingForStart()
    // Silence about a change there would be a trap.
    if (keys.length > 0) log.warn({ keys }, 'changed keys that take effect at the next start')
  }

  async run(draft: Draft, files: SeenFiles, options?: { readonly forNews: boolean }): Promise<void> {
    this.take(await this.prepare(draft, files, options))
  }

  /** Resolves with false when `apply` throws: that changes nothing, and the reason is logged, counted and shown. Only in turn. */
  async attempt(apply: (files: SeenFiles) => Promise<void>): Promise<boolean> {
    if (this.#closed) return false
    const files = new SeenFiles()
    try {
      await apply(files)
      return true
    } catch (error) {
      this.refuse(error)
      this.#options.onDecided('refused')
      const problems = messageOf(error).split('\n')
      this.#options.log.error({ problems }, 'configuration refused; the old one keeps running')
      return false
    } finally {
      // Also of a refused one: the file that is missing in it is what will change next.
      this.watch(files)
    }
  }

  /** Shows why the newest does not run here. */
  refuse(error: unknown): void {
    this.#refused = messageOf(error)
  }

  /** Builds what runs again, because a backend describes itself anew. When nothing of that loads, nothing changes. */
  rebuild(): Promise<boolean> {
    return this.inTurn(async () => {
      // A reload that was under way may have taken it in already.
      if (!this.#options.generations.hasNews) return false
      const draft = { text: this.running.text, version: this.#version }
      return await this.attempt((files) => this.run(draft, files, { forNews: true }))
    })
  }

  /** Replaces the set of watched files. */
  watch(files: SeenFiles): void {
    if (!this.#closed) this.#watcher?.watch(files)
  }

  /** No more reloads. */
  freeze(): void {
    this.#closed = true
    this.#watcher?.close()
  }

  /** Resolves when nothing is decided any more. */
  async close(): Promise<void> {
    this.freeze()
    await this.#deciding
  }
}
