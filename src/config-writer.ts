import { resolve } from 'node:path'
import { refuseLinkLocal } from './admin/link-local.ts'
import { comparedSide, comparedSideOf } from './compared-side.ts'
import { ConfigError, type Problem } from './config/problem.ts'
import { SeenFiles } from './config/seen-files.ts'
import type { Change, ConfigEdit, ItemKind } from './control/change.ts'
import { ConfigText } from './control/config-text.ts'
import type {
  ControlPlane,
  Item,
  NodeInfo,
  Version,
  VersionInfo,
  WriteOptions,
  Written,
} from './control/control-plane.ts'
import { type DiffSide, diffConfigs, summaryOf } from './control/diff-config.ts'
import { editConfig } from './control/edit-config.ts'
import { etagOf, requireMatch } from './control/entity-tag.ts'
import { refuseForeignFiles } from './control/foreign-files.ts'
import { itemsOf } from './control/item-place.ts'
import { masked, maskedConfig, unmaskedConfig } from './control/masked.ts'
import type { StoredVersion, VersionStore } from './control/version-store.ts'
import { GatewayError } from './core/error.ts'
import type { Generations } from './generations.ts'
import type { LiveConfig, PreparedConfig } from './live-config.ts'
import type { NewestConfig } from './newest-config.ts'
import type { SourceOptions } from './source.ts'

export interface ConfigWriterOptions {
  readonly source: SourceOptions
  readonly live: LiveConfig
  readonly newest: NewestConfig
  readonly generations: Generations
  /** Undefined: nothing can be written. */
  readonly store: VersionStore | undefined
  nodes(): Promise<readonly NodeInfo[]>
  /** Unix time in milliseconds. */
  now(): number
}

/** What is written. */
interface Writing {
  readonly text: string
  readonly origin: VersionInfo['origin']
  readonly message: string | undefined
}

/** {@link ControlPlane} over the versions in the database. */
export class ConfigWriter implements ControlPlane {
  readonly #options: ConfigWriterOptions

  constructor(options: ConfigWriterOptions) {
    this.#options = options
  }

  get version(): number {
    return this.#options.live.version
  }

  get etag(): string {
    return etagOf(this.#text)
  }

  get text(): string {
    return maskedConfig(this.#text)
  }

  items(kind: ItemKind): readonly Item[] {
    const { data } = new ConfigText(this.#text)
    return itemsOf(data, kind).map(({ id, value }) => ({
      id,
      value: masked(value),
      etag: etagOf(JSON.stringify(value)),
    }))
  }

  write(edits: readonly ConfigEdit[], options: WriteOptions): Promise<Written> {
    return this.#write(options, (base) => {
      requireMatch(base.text, edits, options.ifMatch)
      const before = new ConfigText(base.text).data
      const text = unmaskedConfig(editConfig(base.text, edits), before)
      const { file = 'configuration', environment = {} } = this.#options.source
      refuseForeignFiles(text, before, { file: resolve(file), environment })
      return { text, origin: 'api', message: options.message }
    })
  }

  rollback(version: number, options: WriteOptions): Promise<Written> {
    return this.#write(options, async (base) => {
      requireMatch(base.text, [], options.ifMatch)
      const { text } = await this.#stored(version)
      return { text, origin: 'rollback', message: options.message ?? `back to version ${version}` }
    })
  }

  async validate(text: string): Promise<readonly Problem[]> {
    const { live } = this.#options
    return await live.inTurn(async () => {
      try {
        const whole = unmaskedConfig(text, new ConfigText(this.#text).data)
        const prepared = await live.prepare({ text: whole, version: live.version + 1 }, new SeenFiles())
        await prepared.drop()
        return []
      } catch (error) {
        if (error instanceof ConfigError) return error.problems
        throw error
      }
    })
  }

  async diff(
    to: { readonly text: string } | { readonly version: number },
    from?: number,
  ): Promise<readonly Change[]> {
    const { source } = this.#options
    const before = from === undefined ? this.#text : (await this.#stored(from)).text
    const after =
      'version' in to
        ? (await this.#stored(to.version)).text
        : unmaskedConfig(to.text, new ConfigText(before).data)
    return diffConfigs(await comparedSideOf(before, source), await comparedSideOf(after, source))
  }

  async versions(page: { readonly limit: number; readonly before?: number | undefined }) {
    return await this.#store.list(page)
  }

  async get(version: number): Promise<Version> {
    const { text, fileHash: _, ...shown } = await this.#stored(version)
    return { ...shown, text: maskedConfig(text) }
  }

  nodes(): Promise<readonly NodeInfo[]> {
    return this.#options.nodes()
  }

  get #text(): string {
    return this.#options.live.running.text
  }

  get #store(): VersionStore {
    const { store } = this.#options
    if (store === undefined)
      throw new GatewayError('CONFLICT', 'This gateway keeps no versions of its configuration.')
    return store
  }

  async #stored(version: number): Promise<StoredVersion> {
    const found = await this.#store.get(version)
    if (found === undefined) throw new GatewayError('NOT_FOUND', `There is no version ${version}.`)
    return found
  }

  /** Again on the newest version each time another node was first. */
  #write(
    options: WriteOptions,
    write: (base: StoredVersion) => Writing | Promise<Writing>,
  ): Promise<Written> {
    const { live } = this.#options
    return live.inTurn(async () => {
      for (;;) {
        const base = await this.#store.newest()
        if (base === undefined || this.#options.newest.unstored)
          throw new GatewayError('UNAVAILABLE', 'What runs is not stored yet: try again in a moment.', {
            retryAfterMs: 1_000,
          })
        const written = await this.#writeOn(base, await write(base), options)
        if (written !== undefined) return written
      }
    })
  }

  /** Undefined: another node was first. */
  async #writeOn(
    base: StoredVersion,
    { text, origin, message }: Writing,
    options: WriteOptions,
  ): Promise<Written | undefined> {
    const { live, newest, generations, now } = this.#options
    if (text === base.text) return { version: base.version, etag: etagOf(text), changes: [], warnings: [] }
    const files = new SeenFiles()
    const version = base.version + 1
    const prepared = await this.#prepare({ text, version }, files)
    try {
      const changes = diffConfigs(await this.#sideOf(base), comparedSide(prepared.source))
      refuseLinkLocal(prepared.config, generations.current.config)
      const warnings = generations
        .waitingForStart(prepared.config)
        .map((key) => `${key} takes effect at the next start`)
      const written = { version, etag: etagOf(text), changes, warnings }
      if (options.dryRun === true) {
        await prepared.drop()
        return written
      }
      const made = {
        version,
        author: options.by,
        createdAt: now(),
        origin,
        fileHash: base.fileHash,
        text,
        changes,
      }
      const isFirst = await this.#store.add({ ...made, message: message ?? summaryOf(changes).join(', ') })
      if (!isFirst) {
        await prepared.drop()
        return undefined
      }
      newest.took(version)
      live.take(prepared)
      live.watch(files)
      return written
    } catch (error) {
      await prepared.drop()
      throw error
    }
  }

  async #prepare(
    draft: { readonly text: string; readonly version: number },
    files: SeenFiles,
  ): Promise<PreparedConfig> {
    try {
      return await this.#options.live.prepare(draft, files)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      const violations = error.problems.map(({ path, message }) => ({ field: path, detail: message }))
      throw new GatewayError('INVALID_ARGUMENT', 'The configuration would not load; nothing was changed.', {
        violations,
      })
    }
  }

  async #sideOf({ version, text }: StoredVersion): Promise<DiffSide> {
    const { live, source } = this.#options
    return version === live.version ? comparedSide(live.running) : await comparedSideOf(text, source)
  }
}
