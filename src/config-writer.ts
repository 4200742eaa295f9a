import { dirname, resolve } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { refuseLinkLocal } from './admin/link-local.ts'
import type { Problem } from './config/problem.ts'
import { SeenFiles } from './config/seen-files.ts'
import { refuseConfig } from './config-refusal.ts'
import type { Change, ConfigEdit, ItemKind } from './control/change.ts'
import type {
  ControlPlane,
  DiffOptions,
  Item,
  NodeInfo,
  Version,
  VersionInfo,
  WriteOptions,
  Written,
} from './control/control-plane.ts'
import { type DiffSide, diffConfigs, summaryOf } from './control/diff-config.ts'
import { editConfig, type ReadConfig, readConfig } from './control/edit-config.ts'
import { etagOf, requireMatch } from './control/entity-tag.ts'
import { itemsOf } from './control/item-place.ts'
import { masked, maskedConfig, unmaskedConfig } from './control/masked.ts'
import { type Powers, requirePowers, requireSecretsStay } from './control/powers.ts'
import { refuseSectionsOfFile } from './control/sections-of-file.ts'
import type { StoredVersion, VersionStore } from './control/version-store.ts'
import { isWithin } from './control/within.ts'
import { GatewayError } from './core/error.ts'
import type { Generations } from './generations.ts'
import type { LiveConfig } from './live-config.ts'
import type { NewestConfig } from './newest-config.ts'
import { problemsOf, requireShort, sideOfSent } from './sent-config.ts'
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
interface Writing extends ReadConfig {
  /** What it depends on. */
  readonly files: SeenFiles
  readonly origin: VersionInfo['origin']
  readonly message: string | undefined
}

/** What is written upon. */
interface Base extends StoredVersion, DiffSide {}

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
    return itemsOf(this.#data, kind).map(({ id, value }) => ({
      id,
      value: masked(value),
      etag: etagOf(JSON.stringify(value)),
    }))
  }

  write(edits: readonly ConfigEdit[], options: WriteOptions): Promise<Written> {
    return this.#write(options, (base) => {
      requireMatch(base, edits, options.ifMatch)
      const written = unmaskedConfig(editConfig(base.text, edits), base.data)
      refuseSectionsOfFile(base.data, written.data)
      return { ...written, files: this.#ownFiles(), origin: 'api', message: options.message }
    })
  }

  rollback(version: number, options: WriteOptions): Promise<Written> {
    return this.#write(options, async (base) => {
      requireMatch(base, [], options.ifMatch)
      const { text } = await this.#stored(version)
      const message = options.message ?? `back to version ${version}`
      // It was loaded from wherever it came from.
      return { ...readConfig(text), files: new SeenFiles(), origin: 'rollback', message }
    })
  }

  async validate(text: string, powers?: Powers): Promise<readonly Problem[]> {
    const { live, generations } = this.#options
    requireShort(text, this.#text, powers)
    return await live.inTurn(() => problemsOf(text, { ...this.#sent(powers), live, generations }))
  }

  async diff(
    to: { readonly text: string } | { readonly version: number },
    { from, powers }: DiffOptions = {},
  ): Promise<readonly Change[]> {
    const { live, source } = this.#options
    if ('text' in to) requireShort(to.text, this.#text, powers)
    const before = await live.sideOf(from === undefined ? this.#text : (await this.#stored(from)).text)
    const after =
      'version' in to
        ? await live.sideOf((await this.#stored(to.version)).text)
        : await sideOfSent(unmaskedConfig(readConfig(to.text), before.data), {
            ...this.#sent(powers),
            source,
          })
    return diffConfigs(before, after)
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

  /** As it is written. */
  get #data(): unknown {
    return this.#options.live.running.loaded.document.written
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
  #write(options: WriteOptions, write: (base: Base) => Writing | Promise<Writing>): Promise<Written> {
    const { live } = this.#options
    return live.inTurn(async () => {
      for (;;) {
        const base = await this.#store.newest()
        if (base === undefined || this.#options.newest.unstored)
          throw new GatewayError('UNAVAILABLE', 'What runs is not stored yet: try again in a moment.', {
            retryAfterMs: 1_000,
          })
        const known = { ...base, ...(await live.sideOf(base.text)) }
        const writing = await write(known)
        // Requests have their turn between the writing and the reading of a long one.
        await turn()
        const written = await this.#writeOn(known, writing, options)
        if (written !== undefined) return written
      }
    })
  }

  /** Undefined: another node was first. */
  async #writeOn(
    base: Base,
    { text, data, files, origin, message }: Writing,
    options: WriteOptions,
  ): Promise<Written | undefined> {
    const { live, newest, generations, now } = this.#options
    if (text === base.text) return { version: base.version, etag: etagOf(text), changes: [], warnings: [] }
    const version = base.version + 1
    if (options.powers !== undefined) requireSecretsStay(options.powers, { before: base.data, after: data })
    const source = await live.check(text, files).catch(refuseConfig)
    const { config } = source.loaded
    const changes = diffConfigs(base, { data, config })
    if (options.powers !== undefined) requirePowers(options.powers, changes, generations.current.config.admin)
    // Before it is built, which asks hosts.
    refuseLinkLocal(config, generations.current.config)
    await turn()
    const prepared = await live.build(source, version).catch(refuseConfig)
    try {
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

  #sent(powers: Powers | undefined) {
    return { before: this.#data, powers, files: this.#ownFiles() }
  }

  /** Who writes by the API names files of the configuration's folder, and those that are read already. */
  #ownFiles(): SeenFiles {
    const { live, source } = this.#options
    const known = new Set(live.files.paths)
    const folder = dirname(resolve(source.file ?? 'configuration'))
    return new SeenFiles((path) => known.has(path) || isWithin(path, folder))
  }
}
