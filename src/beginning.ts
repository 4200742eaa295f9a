import type { Config } from './config/schema.ts'
import { SeenFiles } from './config/seen-files.ts'
import { VersionStore } from './control/version-store.ts'
import type { Logger } from './core/log.ts'
import type { GatewayOptions } from './gateway-options.ts'
import { createLog } from './log.ts'
import { hashOf } from './newest-config.ts'
import { readSource, type Source, type SourceOptions, sourceOf } from './source.ts'
import type { Database } from './store/database.ts'
import { Stores } from './stores.ts'

/** What a gateway is made with. */
export interface Beginning {
  /** What says which ports, limits and stores it has: they are made once. */
  readonly first: Config
  readonly log: Logger
  /** Started. They are those of the file, whatever version runs: it is read from there. */
  readonly stores: Stores
}

/** Reads where the configuration is, and what was kept of it. Throws a ConfigError. */
export async function begin(options: GatewayOptions): Promise<Beginning> {
  const file = await readSource(options)
  const { config } = file.loaded
  const { log = createLog(config.observability.log.level), offline = false } = options
  const stores = new Stores(config.stores, { file: options.file, offline, log })
  await stores.start()
  return { first: await newestConfig(file, options, stores.database), log, stores }
}

/** That of the newest version, unless the file is newer or the version does not load. */
async function newestConfig(
  file: Source,
  options: SourceOptions,
  database: Database | undefined,
): Promise<Config> {
  try {
    const newest = database && (await new VersionStore(database).newest())
    if (newest?.fileHash !== hashOf(file.text) || newest.text === file.text) return file.loaded.config
    const { loaded } = await sourceOf(newest.text, options, new SeenFiles())
    return loaded.config
  } catch {
    return file.loaded.config
  }
}
